"""SQLModel tables, migrations and queries that return the vocabulary."""
