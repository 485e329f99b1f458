"""Where LocalStack's API Gateway (REST APIs) differs from AWS in what a client sees.

Read `install` first: it says where each part hooks in. `bodies`, `integration_timeout` and
`lambda_proxy` stand for themselves. Usage plans are four modules: `throttle` (the token bucket) and
`quota` (the calendar) are plain arithmetic that is handed the time; `usage` keeps what each key has
used; `usage_plans` is what a request passes through. `usage_api` lets clients read and change it,
and `plan_updates` change the plan itself.
"""


def install() -> None:
    """Change LocalStack's API Gateway; once, before it serves its first request.

    Its gateway copies the handlers of the module when the first API is made, so it is enough to
    change the module.
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
