"""The vocabulary of the core: frozen dataclasses, errors and protocols. Imports nothing of ours."""
