"""The part of ``/api/v1/`` that is about incidents and law: thin endpoints, one service or selector each."""
