"""An integration with the fake provider, as a plugin would have it."""

from __future__ import annotations

import http.client
import json
import uuid
from typing import TYPE_CHECKING, Any

from gitcto.api import CtoError, Receipt, Refused

if TYPE_CHECKING:
    from gitcto.api import EffectRequest


def talk(port: int, method: str, path: str, value: object = None, token: str = "") -> Any:
    """Say something to the provider; return the status and what it answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = None if value is None else json.dumps(value).encode()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


class Client:
    """Sends an order with its key, and finds it by that."""

    def find(self, request: EffectRequest) -> Receipt | None:
        code, made = talk(_port(request), "GET", f"/effects/{request.key}")
        return Receipt(url=made["url"], id=made["id"]) if code == 200 else None

    def send(self, request: EffectRequest) -> Receipt:
        order = {
            "key": request.key,
            "sending": uuid.uuid4().hex,
            "title": request.title,
            "body": request.body,
            "facts": dict(request.facts),
        }
        token = request.host_env.get("FAKE_TOKEN", "")
        code, made = talk(_port(request), "POST", "/effects", order, token)
        if code in {401, 422}:
            raise Refused(f"the provider said {code}", "look at the order")
        if code != 201:
            raise CtoError(f"the provider said {code}", "ask again")
        return Receipt(url=made["url"], id=made["id"])


def _port(request: EffectRequest) -> int:
    return int(request.host_env["FAKE_PORT"])
