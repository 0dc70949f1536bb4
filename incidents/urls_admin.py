"""Addresses of daily administration."""

from django.urls import path

from incidents import views_admin

app_name = "administration"
urlpatterns = [
    path("admin-area/", views_admin.administration, name="home"),
    path("admin-area/ladders/", views_admin.ladders, name="ladders"),
    path("admin-area/contacts/", views_admin.contact_list, name="contacts"),
    path("admin-area/contacts/new/", views_admin.contact_new, name="contact_new"),
    path("admin-area/contacts/<int:number>/", views_admin.contact, name="contact"),
]
