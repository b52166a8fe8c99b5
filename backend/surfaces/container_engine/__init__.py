"""The `container-engine` surface: camelCase JSON under `/v1`."""
