"""The rules, one noun a file. Knows the vocabulary and storage; engines and ingress are handed in."""
