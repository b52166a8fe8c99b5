"""The `devpocket` document: snake_case JSON, bare arrays, base path `/api/v1`, health at `/health`."""
