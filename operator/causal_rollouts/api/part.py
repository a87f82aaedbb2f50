"""What every part of a manifest has: camelCase names, frozen values, and rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from causal_rollouts.api.rule import Rule, validations

EVERY_RULE = "every rule"
"""As the context of a validation: rules count too that only the API server holds a manifest to."""


class Part(BaseModel):
    """Base of every part. The API server rejects unknown fields; an old operator survives new ones.

    Strict, as the API server is: "5" is no number there.
    """

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )
    RULES: ClassVar[tuple[Rule, ...]] = ()

    def broken(self) -> Iterator[Rule]:
        """Those of its rules that it breaks and that a release could not live with."""
        return iter(())

    def refused(self) -> Iterator[Rule]:
        """Those that it breaks and that a release could live with: the API server alone refuses them."""
        return iter(())

    @model_validator(mode="after")
    def _keep_rules(self, asked: ValidationInfo) -> Self:
        for rule in self.broken():
            raise rule.broken
        for rule in self.refused() if asked.context == EVERY_RULE else ():
            raise rule.broken
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        reference = handler(core_schema)
        if cls.RULES:
            handler.resolve_ref_schema(reference).update(validations(*cls.RULES))
        return reference
