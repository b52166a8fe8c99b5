"""Widgets that know neither the API nor the app."""
