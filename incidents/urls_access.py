"""Addresses of people, entities, and who sees what."""

from django.urls import path

from incidents import views_access, views_people

app_name = "access"
urlpatterns = [
    path("admin-area/people/", views_people.people, name="people"),
    path("admin-area/people/<int:number>/", views_people.person, name="person"),
    path("admin-area/entities/", views_people.entities, name="entities"),
    path("admin-area/entities/new/", views_people.entity_new, name="entity_new"),
    path("admin-area/entities/<slug:key>/", views_people.entity, name="entity"),
    path("invitation/<str:token>/", views_people.invitation, name="invitation"),
    path("entities/<slug:key>/incidents/", views_access.entity_incidents, name="entity_incidents"),
    path("incidents/<str:code>/access/", views_access.names, name="names"),
    path("break-glass/", views_access.glass, name="glass"),
]
