"""Updates of usage plans that moto does not implement: it silently ignores method limits.

https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

import json
import re
from typing import Any

from moto.apigateway.exceptions import BadRequestException
from moto.apigateway.models import APIGatewayBackend, UsagePlan

_TYPES = {"rateLimit": float, "burstLimit": int, "limit": int, "offset": int, "period": str}
_STAGE = re.compile(r"/apiStages/(?P<stage>[^/]+)(?:/throttle(?:/(?P<method>.+))?)?")


def complete_plan_updates() -> None:
    """Make ``UpdateUsagePlan`` change every limit, and a deleted key leave its plans."""
    UsagePlan.apply_patch_operations = _apply_all  # type: ignore[method-assign]  # a patch
    APIGatewayBackend.delete_api_key = _delete_everywhere  # type: ignore[method-assign]  # a patch


_apply_rest = UsagePlan.apply_patch_operations
_delete_key = APIGatewayBackend.delete_api_key


def _delete_everywhere(self: APIGatewayBackend, api_key_id: str) -> None:
    _delete_key(self, api_key_id)
    for members in self.usage_plan_keys.values():
        members.pop(api_key_id, None)


def _apply_all(self: UsagePlan, patch_operations: list[dict[str, Any]]) -> None:
    for operation in patch_operations:
        path = operation["path"]
        try:
            if path.startswith(("/throttle", "/quota")):
                _, name, *rest = path.split("/")
                _set(getattr(self, name), "/".join(rest), operation)
            elif path.startswith("/apiStages"):
                _change_stages(self, operation)
            else:
                _apply_rest(self, [operation])
        except (KeyError, ValueError) as exc:
            raise BadRequestException(f"Invalid patch operation {operation}: {exc!r}") from exc


def _set(settings: dict[str, Any], name: str, operation: dict[str, Any]) -> None:
    if operation["op"] != "remove":
        settings[name] = _TYPES[name](operation["value"])
    elif name:
        settings.pop(name, None)
    else:
        settings.clear()


def _change_stages(plan: UsagePlan, operation: dict[str, Any]) -> None:
    match = _STAGE.fullmatch(operation["path"])
    stage_id = match["stage"] if match else operation["value"]
    api_id, _, name = stage_id.partition(":")
    entry = next((e for e in plan.api_stages if (e["apiId"], e["stage"]) == (api_id, name)), None)
    if match is None:
        if operation["op"] == "remove":
            plan.api_stages = [e for e in plan.api_stages if e is not entry]
        elif entry is None:
            plan.api_stages = [*plan.api_stages, {"apiId": api_id, "stage": name}]
        return
    if entry is None:
        raise KeyError(stage_id)
    method, removes = match["method"], operation["op"] == "remove"
    if method is None:
        entry["throttle"] = {} if removes else json.loads(operation["value"])
        return
    throttles = entry.setdefault("throttle", {})
    method, _, setting = method.replace("~1", "/").rpartition("/")
    if setting in ("rateLimit", "burstLimit"):
        _set(throttles.setdefault("/" + method.lstrip("/"), {}), setting, operation)
    elif removes:
        del throttles["/" + f"{method}/{setting}".lstrip("/")]
    else:
        throttles["/" + f"{method}/{setting}".lstrip("/")] = json.loads(operation["value"])
