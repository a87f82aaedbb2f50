"""`Kube` on the official client: every call with a deadline, every error one of the port's three."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import load_incluster_config, load_kube_config

from causal_rollouts.adapters.kube import FIELD_MANAGER, Gone, Kind, Object
from causal_rollouts.ports import Broken, NotYet, Refused

DEADLINE = aiohttp.ClientTimeout(total=10.0, sock_connect=5.0)
PAGE = 500
UNREACHABLE = (aiohttp.ClientError, asyncio.TimeoutError, OSError)

JSON = "application/json"
HEADS = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

ANONYMOUS_422 = "the server rejected our request due to an error in our request"
"""All that the API server says of a JSON Patch whose test failed or whose path is not there."""

Body = Object | list[Object]


@asynccontextmanager
async def connect(
    kubeconfig: Path | None = None, *, manager: str = FIELD_MANAGER, context: str = ""
) -> AsyncIterator[KubernetesApi]:
    """The API server of this pod's cluster, or of a kubeconfig and its context where they are named."""
    configuration = Configuration()
    if kubeconfig is None:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        await load_kube_config(  # type: ignore[no-untyped-call]
            str(kubeconfig),
            context=context or None,
            client_configuration=configuration,
            persist_config=False,
        )
    async with ApiClient(configuration) as client:
        yield KubernetesApi(client, manager)


class KubernetesApi:
    """`Kube` over HTTP. manager: the name under which fields are owned."""

    def __init__(self, client: ApiClient, manager: str = FIELD_MANAGER) -> None:
        self._client = client
        self._manager = manager

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """One object, None when it is not there (nor its kind)."""
        return await self._read(kind.path(namespace, name))

    async def _pages(
        self, kind: Kind, namespace: str, labels: str, fields: str = "", accept: str = JSON
    ) -> list[Object]:
        found: list[Object] = []
        chosen = {"labelSelector": labels, "fieldSelector": fields}
        query = {"limit": str(PAGE), **{name: text for name, text in chosen.items() if text}}
        token = ""
        while True:
            there = query | ({"continue": token} if token else {})
            page = await self._read(kind.path(namespace), there, accept)
            if page is None:
                return found
            found += page.get("items") or []
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return found

    async def list(self, kind: Kind, namespace: str = "", labels: str = "", fields: str = "") -> list[Object]:
        """All that match, page by page."""
        return await self._pages(kind, namespace, labels, fields)

    async def heads(self, kind: Kind, namespace: str, labels: str) -> Sequence[Object]:
        """Metadata of all that match, page by page."""
        return await self._pages(kind, namespace, labels, accept=HEADS)

    async def create(self, kind: Kind, namespace: str, obj: Object) -> Object:
        """Create it. NotYet when it exists already."""
        whole = {"apiVersion": kind.api_version, "kind": kind.kind, **obj}
        return await self._write("POST", kind.path(namespace), whole)

    async def merge(
        self, kind: Kind, namespace: str, name: str, patch: Mapping[str, Any], *, status: bool = False
    ) -> Object:
        """Merge patch; a `metadata.resourceVersion` in it is a precondition."""
        path = kind.path(namespace, name) + ("/status" if status else "")
        return await self._write("PATCH", path, dict(patch), MERGE_PATCH)

    async def json_patch(
        self, kind: Kind, namespace: str, name: str, ops: Sequence[Mapping[str, Any]], *, status: bool = False
    ) -> Object:
        """JSON Patch. NotYet when a `test` fails or a path is not there."""
        path = kind.path(namespace, name) + ("/status" if status else "")
        return await self._write("PATCH", path, [dict(op) for op in ops], JSON_PATCH)

    async def apply(self, kind: Kind, namespace: str, obj: Object, *, force: bool = True) -> Object:
        """Server-side apply."""
        whole = {"apiVersion": kind.api_version, "kind": kind.kind, **obj}
        path = kind.path(namespace, whole["metadata"]["name"])
        return await self._write("PATCH", path, whole, APPLY_PATCH, {"force": str(force).lower()})

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str = "", propagation: str = "Background"
    ) -> None:
        """Delete it, exactly the one with this uid where given. Gone when it is not there."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        await self._write("DELETE", kind.path(namespace, name), options)

    async def _read(
        self, path: str, query: Mapping[str, str] | None = None, accept: str = JSON
    ) -> Object | None:
        status, answer = await self._call("GET", path, query or {}, accept=accept)
        if status == 404:
            return None
        if status >= 400:
            raise Broken(f"GET {path}: {_message(status, answer)}")
        return answer

    async def _write(
        self,
        method: str,
        path: str,
        body: Body,
        content: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> Object:
        owner = {} if method == "DELETE" else {"fieldManager": self._manager}
        status, answer = await self._call(method, path, {**owner, **(query or {})}, body, content)
        if status < 400:
            return answer
        message = f"{method} {path}: {_message(status, answer)}"
        if status == 404:
            raise Gone(message)
        if status == 409 or (content == JSON_PATCH and status == 422 and ANONYMOUS_422 in message):
            raise NotYet(message)
        if status in {400, 403, 422}:
            raise Refused(_message(status, answer))
        raise Broken(message)

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Body | None = None,
        content: str = JSON,
        accept: str = JSON,
    ) -> tuple[int, Object]:
        headers = {"Accept": accept, "Content-Type": content}
        where = path + (f"?{urlencode(query)}" if query else "")
        try:
            request = await self._client.param_serialize(
                method, where, header_params=headers, body=body, auth_settings=["BearerToken"]
            )
            answer = await self._client.call_api(*request[:4], _request_timeout=DEADLINE)
            text: bytes = await answer.read()  # type: ignore[no-untyped-call]
        except UNREACHABLE as error:
            raise Broken(
                f"the API server does not answer {method} {path}: {error or type(error).__name__}"
            ) from error
        return answer.status, _parsed(text)


def _parsed(text: bytes) -> Object:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _message(status: int, answer: Object) -> str:
    return str(answer.get("message") or f"HTTP status {status}")
