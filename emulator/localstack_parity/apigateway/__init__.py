"""API Gateway (REST APIs): make LocalStack behave as AWS does towards clients.

Start with `install`, which shows where each part hooks in:

- ``bodies``               request bodies arrive unchanged, and long ones are refused
- ``integration_timeout``  integrations that take too long are abandoned
- ``lambda_proxy``         a request reaches its function without a round trip through boto3
- ``throttle``             the token bucket: plain arithmetic, the time is an argument
- ``quota``                the calendar of a quota: plain arithmetic, too
- ``usage``                records how much each key has used
- ``usage_plans``          enforces usage plans and stage limits on each request
- ``usage_api``            ``GetUsage`` and ``UpdateUsage``
- ``plan_updates``         the parts of ``UpdateUsagePlan`` that moto ignores
"""


def install() -> None:
    """Patch LocalStack's API Gateway. Call once, before it serves its first request.

    The gateway copies the handlers from their module when the first API is created, so patching
    the module is enough.
    """
    from localstack.services.apigateway.next_gen.execute_api import handlers

    from localstack_parity.apigateway import (
        bodies,
        integration_timeout,
        lambda_proxy,
        plan_updates,
        usage_api,
        usage_plans,
    )

    bodies.pass_bodies_unchanged()
    handlers.preprocess_request.append(bodies.refuse_long_body)
    usage_plans.enforce_after_key_validation()
    usage_api.serve_usage()
    plan_updates.complete_plan_updates()
    lambda_proxy.install()
    integration_timeout.limit_integrations()
