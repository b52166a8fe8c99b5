"""Adapters that make the Engine protocol true on a real container engine."""
