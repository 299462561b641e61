"""The routes of the service itself: its model, health, metrics and description."""

from __future__ import annotations

from server.api import service
from server.api.openapi import Operation, json_content
from server.routes.route import Route
from unmask.permissions import Permission

SERVICE = (
    Route(
        "GET",
        "/v1/model",
        service.model,
        Operation(
            "readModel",
            "The model",
            "Which model judges, with which bounds, and how well it did when it was tested.",
            {"200": json_content("The model.", "PublicModel")},
        ),
    ),
    Route(
        "GET",
        "/v1/key",
        service.key,
        Operation(
            "readKey",
            "The key that was sent",
            "Whether keys are needed here, and what the one that was sent allows; 401 if it is not "
            "valid.",
            {"200": json_content("The key.", "Key")},
            "key_needed",
        ),
        extension=True,
    ),
    Route(
        "GET",
        "/healthz",
        service.healthz,
        Operation(
            "health", "Health", "The server answers.", {"200": json_content("Yes.", "Health")}
        ),
    ),
    Route(
        "GET",
        "/readyz",
        service.readyz,
        Operation(
            "readiness",
            "Readiness",
            "Checks are taken: the queue answers, there is room, a worker runs.",
            {"200": json_content("Yes.", "Readiness")},
            "not_ready",
        ),
        extension=True,
    ),
    Route(
        "GET",
        "/metrics",
        service.metrics,
        Operation(
            "metrics",
            "Metrics",
            "In the text format of Prometheus.",
            {
                "200": {
                    "description": "Text.",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                }
            },
            "key_needed key_scope",
        ),
        Permission.READ_METRICS,
    ),
    Route(
        "GET",
        "/openapi.json",
        service.openapi,
        Operation(
            "description",
            "This description",
            "As OpenAPI 3.1.",
            {
                "200": {
                    "description": "The document.",
                    "content": {"application/json": {"schema": {"type": "object"}}},
                }
            },
        ),
    ),
)
