"""The commands of `python -m backend`. Each module imports the heavy parts only when it runs."""
