"""The `container-engine-snake` document: snake_case JSON, uuids, base path `/v1`."""
