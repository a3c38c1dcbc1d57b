"""What tests stand on: a real service, a real PostgreSQL. No assertions here."""
