"""Pydantic models of what goes over the wire, one module per surface. Imports nothing of ours."""
