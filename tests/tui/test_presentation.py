"""What is shown, from wire models, without a screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.wire.container_engine import DeploymentDetailResponse, MetricPoint
from backend.wire.pilothouse import (
    ComponentStatus,
    DeploymentModel,
    JournalEntryModel,
    LiveMetricModel,
    SystemStatusResponse,
)
from tui.client.errors import ApiError
from tui.presentation.addresses import forward_line, over_ssh, shows_no_browser
from tui.presentation.as_text import to_yaml
from tui.presentation.deployments import columns, deployment_row
from tui.presentation.faults import sentence, trouble
from tui.presentation.form_values import (
    check_app_name,
    check_cpu,
    check_memory,
    check_together,
    create_request,
    form_key,
    update_request,
)
from tui.presentation.journal import journal_story
from tui.presentation.logs import local_time, short_replica
from tui.presentation.metrics import cpu_limit_cores, joined, stored_points
from tui.presentation.overview import overview
from tui.presentation.words import age, cores, rate, short_size, size

NOW = datetime(2025, 1, 2, 12, 0, 0, tzinfo=UTC)


def deployment(**changes: Any) -> DeploymentModel:
    return DeploymentModel.model_validate(
        {
            "id": "dpl-1", "app_name": "web", "image": "nginx:1", "digest": "nginx@sha256:" + "a" * 64,
            "status": "running", "reason": "", "message": "", "error_message": None, "url": "http://web.localhost:8080",
            "port": 80, "generation": 1, "replicas": 2, "ready": 2, "health": "healthy", "restart_count": 0,
            "cpu_limit": "100m", "memory_limit": "128Mi", "created_at": NOW, "updated_at": NOW, "deployed_at": NOW,
            "started_at": NOW, "replica_list": [],
        } | changes
    )  # fmt: skip


def sample(**changes: Any) -> LiveMetricModel:
    return LiveMetricModel.model_validate(
        {
            "deployment_id": "dpl-1", "at": NOW, "cpu_cores": 0.25, "memory_bytes": 64 * 2**20,
            "memory_limit_bytes": 256 * 2**20, "requests_per_second": 12.0, "errors_per_second": 0.0,
            "latency_p50_ms": 3.0, "latency_p95_ms": 20.0,
        } | changes
    )  # fmt: skip


def shown(row: Any) -> dict[str, str]:
    cells = {column.key: column.render(row) for column in columns()}
    return {key: getattr(cell, "plain", cell) for key, cell in cells.items()}


def flat(lines: Any) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (11520, "3h12m"),
        (39600, "11h"),
        (90000, "1d1h"),
        (950400, "11d"),
    ],
)
def test_ages(seconds: int, text: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == text


def test_sizes_and_rates() -> None:
    assert [size(n) for n in (None, 512, 1536, 134217728)] == ["–", "512 B", "1.5 KiB", "128 MiB"]
    assert [short_size(n) for n in (999, 41 * 2**20, 1.5 * 2**30)] == ["999B", "41M", "1.5G"]
    assert [cores(n) for n in (0.003, 0.25, 1.5)] == ["3m", "250m", "1.50"]
    assert [rate(n) for n in (0, 0.44, 12.3, 1234)] == ["0", "0.4", "12", "1.2k"]


def test_a_row_tells_state_and_figures_and_hides_stale_figures() -> None:
    cells = shown(deployment_row(deployment(), sample()))
    assert (cells["status"], cells["ready"], cells["cpu"], cells["memory"]) == ("● running", "2/2", "250m", "64M")
    assert shown(deployment_row(deployment(), sample(), stale=True))["cpu"] == "–"
    waiting = deployment(status="pending", reason="waiting_for_health", ready=0)
    assert shown(deployment_row(waiting, None))["status"] == "◌ waiting for health"


def test_during_an_update_it_is_told_what_serves() -> None:
    def replica(generation: int, ordinal: int, phase: str) -> dict[str, Any]:
        return {
            "name": f"web-g{generation}-{ordinal}", "container_id": "c", "generation": generation, "ordinal": ordinal,
            "phase": phase, "address": None, "started_at": NOW, "restart_count": 0, "exit_code": None,
            "oom_killed": False, "message": "",
        }  # fmt: skip

    old = [replica(1, ordinal, "ready") for ordinal in range(4)]
    values: dict[str, Any] = {"status": "updating", "generation": 2, "replicas": 4, "health": "unhealthy"}
    begun = deployment(**values, ready=0, replica_list=[*old, replica(2, 0, "starting")])
    assert shown(deployment_row(begun, sample()))["ready"] == "4/4 ↻0"
    assert shown(deployment_row(begun, sample()))["cpu"] == "250m", "they use it"
    assert "4 old replicas serve; 0 of 4 new ready" in flat(overview(begun, None, NOW))
    halfway = deployment(**values, ready=3, replica_list=[old[0], *(replica(2, n, "ready") for n in range(3))])
    assert shown(deployment_row(halfway, None))["ready"] == "4/4 ↻3"
    assert "1 old replica serves; 3 of 4 new ready" in flat(overview(halfway, None, NOW))
    done = deployment(**values, ready=4, replica_list=[replica(2, n, "ready") for n in range(4)])
    assert shown(deployment_row(done, None))["ready"] == "4/4"
    assert "4 of 4 ready" in flat(overview(done, None, NOW))


def test_a_row_stays_equal_while_nothing_visible_changes() -> None:
    assert deployment_row(deployment(), sample()) == deployment_row(
        deployment(), sample(cpu_cores=0.25001, memory_bytes=64 * 2**20 + 9)
    )


def test_the_overview_says_what_went_wrong() -> None:
    replica = {
        "name": "ph-x-web-g2-0", "container_id": "c", "generation": 2, "ordinal": 0, "phase": "backing_off",
        "address": None, "started_at": NOW, "restart_count": 4, "exit_code": 137, "oom_killed": True,
        "message": "last words",
    }  # fmt: skip
    text = flat(
        overview(
            deployment(status="failed", ready=0, error_message="Exited 137\nlast line", replica_list=[replica]),
            None,
            NOW,
        )
    )
    assert "✖ failed" in text
    assert "Exited 137" in text
    assert "last line" in text
    assert "Killed: out of memory. last words" in text
    assert "64.0 MiB of 256 MiB (25 %)" in flat(overview(deployment(), sample(), NOW))
    assert "as last known" in flat(overview(deployment(), sample(), NOW, stale=True))


def test_the_history_groups_days_and_says_nothing_twice() -> None:
    def entry(sequence: int, kind: str, message: str, **more: Any) -> JournalEntryModel:
        values = {
            "sequence": sequence,
            "object_id": "d",
            "generation": 1,
            "kind": kind,
            "actor": "system",
            "data": {},
            "at": NOW,
        }
        return JournalEntryModel.model_validate(values | {"message": message} | more)

    text = flat(
        journal_story(
            [
                entry(1, "deployment.updated", "update asked for", actor="usr-1"),
                entry(2, "deployment.status.changed", "update asked for", data={"status": "updating"}),
                entry(3, "replica.exited", "exited with code 3\nlast words", at=NOW + timedelta(days=1)),
            ]
        ).lines
    )
    assert text.count("update asked for") == 1
    assert "by usr-1" in text
    assert "last words" in text
    assert text.count("January 2025") == 2
    changed = {
        "differences": [{"field": "image", "from": "a:1", "to": "a:2"}, {"field": "digest", "from": "", "to": "b"}]
    }
    entries = [
        entry(1, "deployment.updated", "update asked for", actor="usr-1", actor_name="ann", data=changed),
        entry(2, "deployment.scaled", "scale asked for", actor="usr-2"),
        entry(3, "replica.ready", "replica 0 is ready"),
        entry(4, "deployment.rolled_back", "it failed"),
    ]
    told = journal_story(entries, "usr-2")
    assert "by ann" in flat(told.lines) and "by you" in flat(told.lines)
    assert "image a:1 → a:2" in flat(told.lines)
    assert "digest" not in flat(told.lines), "it follows from the image"
    assert told.lines[told.faults[0]][-1][0] == "it failed"
    assert "ready" not in flat(journal_story(entries, kinds="changes").lines)
    assert flat(journal_story(entries, kinds="replicas").lines).endswith("replica 0 is ready")


def test_log_times_are_local_and_replicas_short() -> None:
    minute = NOW.astimezone().strftime("%H:%M")
    assert local_time("2025-01-02T12:00:07.123456789Z") == f"{minute}:07.123"
    assert local_time("2025-01-02T12:00:07Z") == f"{minute}:07.000"
    assert local_time("2025-01-02T12:00:07.5Z") == f"{minute}:07.500"
    assert local_time("no time") == "no time"
    assert short_replica("ph-ab12-web-ox1jz73gme-g3-0") == "g3-0"


def test_metrics_join_without_overlap() -> None:
    stored = stored_points([MetricPoint(timestamp=NOW, value=120.0)], per_seconds=60)
    start = NOW.timestamp()
    assert joined(stored, [(start - 1, 9.0), (start, 9.0), (start + 2, 3.0)], start) == ((start, 2.0), (start + 2, 3.0))
    live = [(start + 1, 9.0), (start + 2, 3.0)]
    late = [(start, 2.0), (start + 60, 4.0)]
    assert joined(late, live, start, live_first=True) == ((start, 2.0), *live)
    assert joined(late, [], start, live_first=True) == tuple(late)
    assert cpu_limit_cores("250m", 2) == 0.5
    assert cpu_limit_cores("nonsense", 2) is None


def test_over_ssh_the_line_names_the_server_and_its_port() -> None:
    environment = {"SSH_CONNECTION": "10.0.0.5 50000 192.0.2.7 2222"}
    assert over_ssh(environment)
    assert not over_ssh({})
    assert (
        forward_line("http://web.localhost:8080", environment, "ann")
        == "ssh -N -L 8080:127.0.0.1:8080 -p 2222 ann@192.0.2.7"
    )


def test_a_browser_is_opened_only_where_there_is_a_desktop() -> None:
    assert shows_no_browser({"TERM": "xterm", "DISPLAY": ""}, "linux")
    assert not shows_no_browser({"DISPLAY": ":0"}, "linux")
    assert not shows_no_browser({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert not shows_no_browser({"BROWSER": "w3m"}, "linux")
    assert not shows_no_browser({}, "darwin")


def test_yaml_quotes_what_would_be_read_as_something_else() -> None:
    text = to_yaml(
        {
            "a": "plain",
            "b": "true",
            "c": 1,
            "d": None,
            "e": {"X": "1", "Y": "a: b"},
            "f": [],
            "g": [{"n": 1, "m": 2}],
            "h": {},
        }
    )
    assert (
        text
        == 'a: plain\nb: "true"\nc: 1\nd: null\ne:\n  X: "1"\n  "Y": "a: b"\nf: []\ng:\n  - "n": 1\n    m: 2\nh: {}\n'
    )


def system(**changes: Any) -> SystemStatusResponse:
    ok = ComponentStatus(status="ok", message="")
    values: dict[str, Any] = {
        "version": "1", "installation": "x", "data_dir": None, "ingress_port": 8080, "domain_suffix": "localhost",
        "storage": ok, "engine": ok, "ingress": ok, "engine_version": "20", "cpus": 1, "memory_bytes": 1,
        "base_urls": {},
    }  # fmt: skip
    return SystemStatusResponse.model_validate(values | changes)


def test_the_banner_says_what_is_down_and_what_to_do() -> None:
    assert trouble(None) is None
    assert trouble(system()) is None
    down = ComponentStatus(status="down", message="no engine at the socket")
    found = trouble(system(engine=down, ingress=down))
    assert found is not None
    assert found[0] == "no engine at the socket"
    silent = ComponentStatus(status="down", message="")
    assert "start Docker" in trouble(system(engine=silent))[0]  # type: ignore[index]
    assert "8080" in trouble(system(ingress=silent))[0]  # type: ignore[index]
    assert trouble(system(ingress=ComponentStatus(status="starting", message="it does not answer"))) is None
    assert sentence("It is taken", 404).startswith("It is taken. ")
    assert sentence("It is taken", 409) == "It is taken"


def test_form_checks() -> None:
    assert check_app_name("web-2") is None
    assert check_app_name("Web") == "Lower-case letters only: web"
    assert check_app_name("-web")
    assert check_app_name("a" * 64)
    for typed, name in {"My App!": "my-app", "my_app": "my-app", "-Web-": "web", "x" * 62 + ".y": "x" * 62}.items():
        assert check_app_name(name) is None
        assert (check_app_name(typed) or "").endswith(f"address. For example {name}")
    assert "example" not in (check_app_name("!?") or "") and "example" not in (check_app_name("ö") or "")
    assert check_cpu("0.5") is None
    assert check_cpu("lots")
    assert check_memory("128Mi") is None
    assert check_memory("128Mb")
    assert check_together({"registry_user": "ann", "registry_password": ""}) == {
        "registry_password": "The user needs a password"
    }


VALUES: dict[str, Any] = {
    "name": "web", "image": "nginx", "port": 80, "replicas": 2, "cpu": "100m", "memory": "128Mi", "env": {"A": "b"},
    "health_path": "", "health_delay": 5, "health_period": 10, "health_timeout": 5, "health_threshold": 3,
    "registry_user": "", "registry_password": "",
}  # fmt: skip


def test_requests_hold_only_what_was_asked() -> None:
    body = create_request(VALUES).model_dump(by_alias=True, exclude_none=True)
    assert "healthCheck" not in body
    assert "registryAuth" not in body
    full = create_request(VALUES | {"health_path": "/up", "registry_user": "ann", "registry_password": "pw"})
    assert full.health_check is not None
    assert full.health_check.path == "/up"
    assert full.registry_auth is not None

    before = DeploymentDetailResponse.model_validate(
        {
            "id": "d", "app_name": "web", "image": "nginx", "status": "running", "url": "u", "replicas": 2,
            "created_at": NOW,
            "updated_at": NOW, "port": 80, "env_vars": {"A": "b"}, "resources": {"cpu": "100m", "memory": "128Mi"},
            "health_check": None, "deployed_at": NOW, "reason": "", "message": "", "error_message": None,
        }
    )  # fmt: skip
    assert update_request(VALUES, before) is None
    change = update_request(VALUES | {"memory": "256Mi", "env": {}}, before)
    assert change is not None
    assert change.model_dump(by_alias=True, exclude_none=True) == {"envVars": {}, "resources": {"memory": "256Mi"}}


def test_server_faults_find_their_fields() -> None:
    error = ApiError(400, "x", "two faults", {"fields": {"resources.memory": "too small", "envVars.A": "too long"}})
    assert {form_key(name): message for name, message in error.field_errors.items()} == {
        "memory": "too small",
        "env": "too long",
    }
    assert ApiError(409, "x", "taken", {"field": "appName"}).field_errors == {"appName": "taken"}
    assert ApiError(500, "x", "oops").field_errors == {}
    assert form_key("nothing.we.know") == ""
