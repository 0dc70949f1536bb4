"""The part of ``/api/v1/`` that is about filings: thin endpoints, one service or selector each."""
