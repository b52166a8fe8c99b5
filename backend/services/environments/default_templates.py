"""The five templates that an installation begins with. Images, ports and resources are the DevPocket document's; the
startup commands install what it says that each includes."""

from __future__ import annotations

from backend.domain.environments import EnvironmentResources, TemplateCategory, TemplateRequest

_SMALL = EnvironmentResources(cpu="500m", memory="1Gi", storage="10Gi")
_LARGE = EnvironmentResources(cpu="1000m", memory="2Gi", storage="15Gi")

DEFAULT_TEMPLATES: tuple[TemplateRequest, ...] = (
    TemplateRequest(
        name="python",
        display_name="Python 3.11",
        description="Python 3.11 with pip, virtualenv, Flask and Django.",
        category=TemplateCategory.PROGRAMMING_LANGUAGE,
        tags=("python", "pip", "virtualenv", "flask", "django"),
        image="python:3.11-slim",
        default_port=8080,
        default_resources=_SMALL,
        env={"PYTHONUNBUFFERED": "1"},
        startup_commands=("pip install --no-cache-dir --root-user-action=ignore virtualenv flask django",),
        documentation_url="https://docs.python.org/3.11/",
    ),
    TemplateRequest(
        name="nodejs",
        display_name="Node.js 18 LTS",
        description="Node.js 18 with npm and yarn, and generators for Express, React and Vue projects.",
        category=TemplateCategory.PROGRAMMING_LANGUAGE,
        tags=("nodejs", "javascript", "npm", "yarn", "express", "react", "vue"),
        image="node:18-slim",
        default_port=3000,
        default_resources=_SMALL,
        env={"NODE_ENV": "development"},
        # Yarn comes with the image. The last major versions that run on Node.js 18; create-vite makes React and Vue
        # projects alike.
        startup_commands=(
            "yarn --version",
            "npm install --global --no-fund --no-audit express-generator@4 create-vite@6",
        ),
        documentation_url="https://nodejs.org/docs/latest-v18.x/api/",
    ),
    TemplateRequest(
        name="golang",
        display_name="Go 1.21",
        description="The Go 1.21 compiler, and air, which builds anew when files change.",
        category=TemplateCategory.PROGRAMMING_LANGUAGE,
        tags=("go", "golang", "air"),
        image="golang:1.21-alpine",
        default_port=8080,
        default_resources=_SMALL,
        # Later versions of air need a later Go.
        startup_commands=("apk add --no-cache git", "go install github.com/cosmtrek/air@v1.49.0"),
        documentation_url="https://go.dev/doc/",
    ),
    TemplateRequest(
        name="rust",
        display_name="Rust Latest",
        description="The newest stable Rust: rustc and cargo, and cargo-watch, which builds anew when files change.",
        category=TemplateCategory.PROGRAMMING_LANGUAGE,
        tags=("rust", "cargo", "cargo-watch"),
        image="rust:latest",
        default_port=8080,
        default_resources=_LARGE,
        startup_commands=("cargo install --locked cargo-watch",),
        documentation_url="https://doc.rust-lang.org/",
    ),
    TemplateRequest(
        name="ubuntu",
        display_name="Ubuntu 22.04 LTS",
        description="Ubuntu 22.04 with compilers, git, Python, editors and what else development needs.",
        category=TemplateCategory.OPERATING_SYSTEM,
        tags=("ubuntu", "linux", "build-essential", "git"),
        image="ubuntu:22.04",
        default_port=8080,
        default_resources=_SMALL,
        startup_commands=(
            "apt-get update",
            "apt-get install -y --no-install-recommends build-essential ca-certificates curl git less nano "
            "openssh-client pkg-config python3 python3-pip unzip vim wget",
        ),
        documentation_url="https://help.ubuntu.com/",
    ),
)
