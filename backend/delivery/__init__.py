"""Carrying things to the outside: mail servers and webhook receivers."""
