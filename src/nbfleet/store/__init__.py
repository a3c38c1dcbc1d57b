"""The only code that knows SQL. SQLite and PostgreSQL run the same functions and the same tests."""
