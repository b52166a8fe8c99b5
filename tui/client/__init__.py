"""Talks to a backend: documented operations over HTTP, live data and terminals over WebSockets.

Nothing here is imported before the first screen is painted: httpx, pydantic and websockets cost more than the frame.
"""
