"""What template.yaml promises, asserted on what SAM makes of it (samtranslator, as `sam deploy` does).

Run: .cache/venv-sam/bin/python tests/template_test.py; .ci/run does. Numbers in names, as in D1.4, are rows of the
project's list of what bites on Lambda, SQS and DynamoDB.
"""

import copy
import logging
import os
import re
import sys
import unittest
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
logging.disable(logging.WARNING)  # the translator's own measurements

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "template.yaml").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
STACK = (ROOT / "src/cli/place/stack.rs").read_text()
FUNCTIONS = ("Ingest", "Evaluate", "Deliver", "Tick")
KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
TOPIC = "arn:aws:sns:us-east-1:123456789012:mine"
SIGNING = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:signing-AbCdEf"]
APP_API = ["arn:aws:ssm:us-east-1:123456789012:parameter/customerio/app-api"]
LINK = ["arn:aws:ssm:us-east-1:123456789012:parameter/cio-alert-bridge/link-key"]
RECEIVER = ["arn:aws:ssm:us-east-1:123456789012:parameter/receivers/pagerduty"]
ALL_SET = {
    "OpsEmail": "ops@example.com",
    "AlertTopicArn": TOPIC,
    "SigningSecretArns": SIGNING,
    "ReceiverSecretArns": RECEIVER,
    "AppApiSecretArns": APP_API,
    "LinkSecretArns": LINK,
    "KmsKeyArn": KEY,
    "ReservedConcurrency": 50,
}


class NoManagedPolicies:
    """The template names none, so none is looked up."""

    def load(self):
        return {}


class Stack:
    """The translated template with its parameters, conditions and `Fn::If` worked out; other functions stay."""

    def __init__(self, **given):
        source = yaml_parse(TEXT)
        # The translator takes uploaded code only.
        source["Globals"]["Function"]["CodeUri"] = "s3://bucket/code"
        source["Resources"]["Configuration"]["Properties"]["ContentUri"] = "s3://bucket/layer"
        template = transform(source, {}, NoManagedPolicies())
        self.parameters = {}
        for name, parameter in template["Parameters"].items():
            value = given.pop(name, parameter["Default"])
            if parameter["Type"] == "CommaDelimitedList" and isinstance(value, str):
                value = value.split(",")
            self.parameters[name] = value
        assert not given, f"no such parameter: {given}"
        self.conditions = template["Conditions"]
        self.resources = {
            name: self.value(resource)
            for name, resource in copy.deepcopy(template["Resources"]).items()
            if "Condition" not in resource or self.holds(resource["Condition"])
        }
        self.outputs = {name: self.value(output["Value"]) for name, output in template["Outputs"].items()}

    def holds(self, name):
        return self.test(self.conditions[name])

    def test(self, condition):
        if "Condition" in condition:
            return self.holds(condition["Condition"])
        ((function, arguments),) = condition.items()
        if function == "Fn::Not":
            return not self.test(arguments[0])
        if function == "Fn::And":
            return all(self.test(argument) for argument in arguments)
        assert function == "Fn::Equals", function
        left, right = (self.value(argument) for argument in arguments)
        return str(left) == str(right)

    def value(self, node):
        if isinstance(node, list):
            values = (self.value(item) for item in node)
            return [value for value in values if value is not NOTHING]
        if not isinstance(node, dict):
            return node
        if set(node) == {"Ref"}:
            name = node["Ref"]
            if name == "AWS::NoValue":
                return NOTHING
            return self.parameters.get(name, node)
        if set(node) == {"Fn::If"}:
            name, yes, no = node["Fn::If"]
            return self.value(yes if self.holds(name) else no)
        if set(node) == {"Fn::Join"}:
            separator, items = node["Fn::Join"]
            return separator.join(self.value(items))
        values = {key: self.value(value) for key, value in node.items()}
        return {key: value for key, value in values.items() if value is not NOTHING}

    def of_type(self, kind):
        return {name: r["Properties"] for name, r in self.resources.items() if r["Type"] == kind}

    def properties(self, name):
        return self.resources[name].get("Properties", {})

    def function(self, name):
        return self.properties(f"{name}Function")

    def mapping(self, name):
        return self.properties(f"{name}FunctionQueue")

    def policy(self, name):
        """What a function may do: (action, resource) for each."""
        role = self.properties(f"{name}Role")
        assert "ManagedPolicyArns" not in role, name
        allowed = set()
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                for action in listed(statement["Action"]):
                    for resource in listed(statement["Resource"]):
                        allowed.add((action, named(resource)))
        return allowed


NOTHING = object()
DEFAULT = Stack()
FULL = Stack(**ALL_SET)


def listed(value):
    return value if isinstance(value, list) else [value]


def named(node):
    """The logical name or the text of a reference."""
    if isinstance(node, dict):
        if "Fn::GetAtt" in node:
            return node["Fn::GetAtt"][0]
        if "Ref" in node:
            return node["Ref"]
    return node


def texts(node):
    """Every text within."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)
    elif isinstance(node, str):
        yield node


class TheFunctions(unittest.TestCase):
    def test_each_is_small_plain_and_only_its_own(self):
        self.assertEqual(set(DEFAULT.of_type("AWS::Lambda::Function")), {f"{name}Function" for name in FUNCTIONS})
        source = yaml_parse(TEXT)["Resources"]
        for name in FUNCTIONS:
            function = DEFAULT.function(name)
            self.assertEqual((function["Runtime"], function["Handler"]), ("provided.al2023", "bootstrap"))
            self.assertEqual(function["Architectures"], ["arm64"])
            self.assertEqual(Stack(Architecture="x86_64").function(name)["Architectures"], ["x86_64"])
            self.assertEqual(named(function["Role"]), f"{name}Role")
            metadata = source[f"{name}Function"]["Metadata"]
            self.assertEqual(metadata["BuildMethod"], "rust-cargolambda")
            self.assertEqual(metadata["BuildProperties"], {"Binary": name.lower()})
            self.assertTrue((ROOT / f"src/bin/{name.lower()}.rs").is_file())
            # No VPC, no tracing, no extension: each adds to every start.
            self.assertEqual(set(function) & {"VpcConfig", "TracingConfig", "FileSystemConfigs"}, set())
            self.assertEqual(len(function["Layers"]), 1, "the configuration, and no extension")

    def test_d1_14_a_restart_fits_into_the_timeout(self):
        for name in FUNCTIONS:
            self.assertGreaterEqual(DEFAULT.function(name)["Timeout"], 10, name)

    def test_each_is_told_where_things_are_and_no_more(self):
        common = {"BRIDGE_CONFIG", "BRIDGE_LOG", "BRIDGE_TABLE"}
        own = {
            "Ingest": {"BRIDGE_EVENTS_QUEUE": "EventsQueue"},
            "Evaluate": {"BRIDGE_HINTS_QUEUE": "HintsQueue"},
            "Deliver": {"BRIDGE_HINTS_QUEUE": "HintsQueue", "ALERT_TOPIC_ARN": "AlertTopic", "BRIDGE_PAGE_URL": ""},
            "Tick": {"BRIDGE_EVENTS_QUEUE": "EventsQueue", "BRIDGE_HINTS_QUEUE": "HintsQueue"},
        }
        for name in FUNCTIONS:
            variables = DEFAULT.function(name)["Environment"]["Variables"]
            self.assertEqual(variables["BRIDGE_CONFIG"], "/opt/bridge.toml")
            self.assertEqual(named(variables["BRIDGE_TABLE"]), "Table")
            self.assertEqual({k: named(v) for k, v in variables.items() if k not in common}, own[name], name)
        self.assertEqual(FULL.function("Deliver")["Environment"]["Variables"]["ALERT_TOPIC_ARN"], TOPIC)

    def test_the_configuration_is_a_layer_that_needs_no_build(self):
        layer = yaml_parse(TEXT)["Resources"]["Configuration"]
        self.assertNotIn("Metadata", layer)
        self.assertTrue((ROOT / layer["Properties"]["ContentUri"] / "bridge.toml").is_file())

    def test_d1_27_the_platform_logs_warnings_only_and_no_line_is_kept_for_ever(self):
        for name in FUNCTIONS:
            logging = DEFAULT.function(name)["LoggingConfig"]
            self.assertEqual((logging["LogFormat"], logging["SystemLogLevel"]), ("JSON", "WARN"))
            self.assertEqual(named(logging["LogGroup"]), f"{name}Log")
            self.assertEqual(DEFAULT.properties(f"{name}Log")["RetentionInDays"], 30)
        self.assertEqual(Stack(LogRetentionDays=7).properties("TickLog")["RetentionInDays"], 7)

    def test_concurrency_is_reserved_for_ingest_alone_and_only_when_asked_for(self):
        for name in FUNCTIONS:
            self.assertNotIn("ReservedConcurrentExecutions", DEFAULT.function(name))
        reserved = {n: FULL.function(n).get("ReservedConcurrentExecutions") for n in FUNCTIONS}
        # D1.5: a queue's consumer is bounded by MaximumConcurrency; reserving would send messages to the dead letters.
        self.assertEqual(reserved, {"Ingest": 50, "Evaluate": None, "Deliver": None, "Tick": None})


class TheAddress(unittest.TestCase):
    def test_d1_11_anyone_may_call_it_by_both_permissions(self):
        self.assertEqual(set(DEFAULT.of_type("AWS::Lambda::Url")), {"IngestFunctionUrl"})
        url = DEFAULT.properties("IngestFunctionUrl")
        self.assertEqual((url["AuthType"], url["InvokeMode"]), ("NONE", "BUFFERED"))
        self.assertNotIn("Cors", url)
        given = [
            {key: named(value) for key, value in permission.items()}
            for permission in DEFAULT.of_type("AWS::Lambda::Permission").values()
        ]
        common = {"FunctionName": "IngestFunction", "Principal": "*"}
        self.assertCountEqual(
            given,
            [
                {**common, "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
                {**common, "Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
            ],
        )

    def test_it_is_an_output_with_the_webhooks_path(self):
        self.assertEqual(
            DEFAULT.outputs["WebhookUrl"], {"Fn::Sub": "${IngestFunctionUrl.FunctionUrl}webhooks/customerio"}
        )


class ThePage(unittest.TestCase):
    def test_there_is_none_without_a_key_that_signs_links(self):
        self.assertFalse([name for name in DEFAULT.resources if name.startswith("Page")])

    def test_it_has_an_address_and_rights_of_its_own(self):
        self.assertEqual(set(FULL.of_type("AWS::Lambda::Url")), {"IngestFunctionUrl", "PageFunctionUrl"})
        self.assertEqual(FULL.properties("PageFunctionUrl")["AuthType"], "NONE")
        self.assertEqual(
            FULL.policy("Page"), {("sqs:SendMessage", "HintsQueue")} | STATE | reads(LINK) | KMS | logs("PageLog")
        )
        self.assertEqual(FULL.function("Page")["Timeout"], 10)
        url = FULL.function("Deliver")["Environment"]["Variables"]["BRIDGE_PAGE_URL"]
        self.assertEqual(url, {"Fn::GetAtt": ["PageFunctionUrl", "FunctionUrl"]})
        self.assertEqual(FULL.outputs["PageUrl"], url)

    def test_a_flood_of_visits_takes_nothing_from_ingest_where_concurrency_is_reserved(self):
        self.assertEqual(FULL.function("Page")["ReservedConcurrentExecutions"], 2)
        self.assertNotIn("ReservedConcurrentExecutions", Stack(LinkSecretArns=LINK).function("Page"))


class TheQueues(unittest.TestCase):
    CONSUMERS = {"Evaluate": "EventsQueue", "Deliver": "HintsQueue"}

    def test_each_consumer_has_its_queue_and_answers_for_single_messages(self):
        self.assertEqual(len(DEFAULT.of_type("AWS::Lambda::EventSourceMapping")), 2)
        for name, queue in self.CONSUMERS.items():
            mapping = DEFAULT.mapping(name)
            self.assertEqual(named(mapping["EventSourceArn"]), queue)
            self.assertEqual(named(mapping["FunctionName"]), f"{name}Function")
            # D1.2: without it failed messages would be deleted.
            self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
            # D1.5
            self.assertGreaterEqual(mapping["ScalingConfig"]["MaximumConcurrency"], 2)
            # D1.7
            self.assertTrue(mapping["BatchSize"] <= 10 or mapping["MaximumBatchingWindowInSeconds"] >= 1)
        self.assertEqual(DEFAULT.mapping("Evaluate")["BatchSize"], 100)
        self.assertEqual(DEFAULT.mapping("Deliver")["MaximumBatchingWindowInSeconds"], 0)

    def test_a_new_account_keeps_something_for_ingest(self):
        workers = sum(DEFAULT.mapping(name)["ScalingConfig"]["MaximumConcurrency"] for name in self.CONSUMERS)
        self.assertGreaterEqual(10 - workers - 1, 4, "of a concurrency of 10, after tick")

    def test_d1_4_a_message_stays_hidden_for_six_timeouts_and_the_window(self):
        for name, queue in self.CONSUMERS.items():
            hidden = DEFAULT.properties(queue)["VisibilityTimeout"]
            window = DEFAULT.mapping(name)["MaximumBatchingWindowInSeconds"]
            self.assertGreaterEqual(hidden, 6 * DEFAULT.function(name)["Timeout"] + window, name)

    def test_d1_8_a_dead_letter_outlives_its_source(self):
        tries = {"EventsQueue": 1000, "HintsQueue": 20}
        for queue in self.CONSUMERS.values():
            source = DEFAULT.properties(queue)
            redrive = source["RedrivePolicy"]
            dead = DEFAULT.properties(named(redrive["deadLetterTargetArn"]))
            self.assertEqual(redrive["maxReceiveCount"], tries[queue])
            self.assertLess(tries[queue] * source["VisibilityTimeout"], source["MessageRetentionPeriod"])
            self.assertEqual(source["MessageRetentionPeriod"], 4 * 86400)
            self.assertEqual(dead["MessageRetentionPeriod"], 14 * 86400)

    def test_everything_at_rest_is_encrypted_with_your_key_if_you_have_one(self):
        for name, queue in DEFAULT.of_type("AWS::SQS::Queue").items():
            self.assertTrue(queue["SqsManagedSseEnabled"], name)
            self.assertNotIn("FifoQueue", queue)
        for name, queue in FULL.of_type("AWS::SQS::Queue").items():
            if name != "TickDeadLetters":
                self.assertEqual(queue["KmsMasterKeyId"], KEY, name)
                self.assertNotIn("SqsManagedSseEnabled", queue)
        self.assertEqual(Stack(KmsKeyArn=KEY).properties("AlertTopic")["KmsMasterKeyId"], KEY)

    def test_a_critical_page_leaves_within_a_minute(self):
        """From a webhook's arrival: each part at its longest, the windows between them, no group wait for critical."""
        group_wait = 0
        spent = (
            DEFAULT.function("Ingest")["Timeout"]
            + DEFAULT.mapping("Evaluate")["MaximumBatchingWindowInSeconds"]
            + DEFAULT.function("Evaluate")["Timeout"]
            + group_wait
            + DEFAULT.mapping("Deliver")["MaximumBatchingWindowInSeconds"]
            + DEFAULT.function("Deliver")["Timeout"]
        )
        self.assertLessEqual(spent, 60)


class TheOutputs(unittest.TestCase):
    """What `bridge --stack NAME` finds its way by."""

    def test_each_names_what_the_commands_take_it_for(self):
        wanted = {
            "TableName": "Table",
            "EventsQueueUrl": "EventsQueue",
            "EventsDeadLettersUrl": "EventsDeadLetters",
            "HintsQueueUrl": "HintsQueue",
            "HintsDeadLettersUrl": "HintsDeadLetters",
            "TickDeadLettersUrl": "TickDeadLetters",
        }
        self.assertEqual({name: named(DEFAULT.outputs[name]) for name in wanted}, wanted)
        # The very layer that the functions run with.
        self.assertEqual([DEFAULT.outputs["ConfigurationLayerArn"]], DEFAULT.function("Tick")["Layers"])
        read = set(re.findall(r'const [A-Z_]+: &str = "(\w+(?:Name|Url|Arn))";', STACK))
        self.assertEqual(read, {*wanted, "ConfigurationLayerArn", "PageUrl"})

    def test_every_dead_letter_queue_is_among_them(self):
        dead = {name for name in DEFAULT.of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")}
        self.assertEqual(dead, {named(url) for name, url in DEFAULT.outputs.items() if name.endswith("DeadLettersUrl")})
        for queue in DEFAULT.of_type("AWS::SQS::Queue").values():
            if "RedrivePolicy" in queue:
                self.assertIn(named(queue["RedrivePolicy"]["deadLetterTargetArn"]), dead)

    def test_what_a_person_needs_is_documented(self):
        section = OPERATIONS.split("## From a terminal, on AWS", 1)[1].split("\n## ", 1)[0]
        for action in (
            "cloudformation:DescribeStacks",
            "lambda:GetLayerVersion",
            *sorted({action for action, _ in DEFAULT.policy("Deliver") if action.startswith("dynamodb:")}),
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            "sqs:GetQueueAttributes",
        ):
            self.assertIn(f'"{action}"', section)


class TheTable(unittest.TestCase):
    def test_it_expires_recovers_and_survives_the_stack(self):
        self.assertEqual(set(DEFAULT.of_type("AWS::DynamoDB::Table")), {"Table"})
        resource, table = DEFAULT.resources["Table"], DEFAULT.properties("Table")
        self.assertEqual((resource["DeletionPolicy"], resource["UpdateReplacePolicy"]), ("Retain", "Retain"))
        self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual([key["AttributeName"] for key in table["KeySchema"]], ["pk", "sk"])
        self.assertEqual(table["TimeToLiveSpecification"], {"AttributeName": "expires_at", "Enabled": True})
        self.assertTrue(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
        self.assertNotIn("SSESpecification", table, "AWS's own key")
        self.assertEqual(
            FULL.properties("Table")["SSESpecification"],
            {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY},
        )


class Tick(unittest.TestCase):
    def test_d1_20_it_comes_every_minute_and_the_code_decides_what_is_due(self):
        schedule = DEFAULT.properties("TickFunctionMinute")
        self.assertEqual(schedule["ScheduleExpression"], "rate(1 minute)")
        self.assertEqual(schedule["FlexibleTimeWindow"], {"Mode": "OFF"})
        self.assertEqual(named(schedule["Target"]["Arn"]), "TickFunction")
        self.assertNotIn("State", schedule)

    def test_d1_19_a_tick_that_failed_is_kept_and_not_repeated(self):
        schedule = DEFAULT.properties("TickFunctionMinute")["Target"]
        self.assertEqual(schedule["RetryPolicy"]["MaximumRetryAttempts"], 0)
        self.assertEqual(named(schedule["DeadLetterConfig"]["Arn"]), "TickDeadLetters")
        invoke = DEFAULT.properties("TickFunctionEventInvokeConfig")
        self.assertEqual((invoke["MaximumRetryAttempts"], invoke["MaximumEventAgeInSeconds"]), (0, 60))
        self.assertEqual(named(invoke["DestinationConfig"]["OnFailure"]["Destination"]), "TickDeadLetters")
        self.assertIn(("sqs:SendMessage", "TickDeadLetters"), DEFAULT.policy("Tick"))
        statements = [
            statement
            for policy in DEFAULT.properties("TickFunctionMinuteRole")["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        self.assertEqual(
            {(s["Action"], named(s["Resource"])) for s in statements},
            {("lambda:InvokeFunction", "TickFunction"), ("sqs:SendMessage", "TickDeadLetters")},
        )


STATE = {
    (f"dynamodb:{action}", "Table")
    for action in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")
}


def logs(name):
    return {("logs:CreateLogStream", name), ("logs:PutLogEvents", name)}


def receives(queue):
    actions = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")
    return {(f"sqs:{action}", queue) for action in actions}


def reads(arns):
    return {(action, arn) for action in ("secretsmanager:GetSecretValue", "ssm:GetParameter") for arn in arns}


KMS = {("kms:Decrypt", KEY), ("kms:GenerateDataKey", KEY)}


class TheRights(unittest.TestCase):
    def test_each_function_may_do_what_it_does_and_nothing_else(self):
        own = {
            "Ingest": {
                ("sqs:SendMessage", "EventsQueue"),
                ("sqs:GetQueueAttributes", "EventsQueue"),
                ("dynamodb:GetItem", "Table"),
                ("dynamodb:PutItem", "Table"),
            },
            "Evaluate": receives("EventsQueue") | {("sqs:SendMessage", "HintsQueue")} | STATE,
            "Deliver": receives("HintsQueue") | {("sqs:SendMessage", "HintsQueue")} | STATE,
            "Tick": {("sqs:SendMessage", queue) for queue in ("EventsQueue", "HintsQueue", "TickDeadLetters")} | STATE,
        }
        secrets = {"Ingest": reads(SIGNING), "Deliver": reads(RECEIVER) | reads(LINK), "Tick": reads(APP_API)}
        for name in FUNCTIONS:
            always = own[name] | logs(f"{name}Log")
            topic = {("sns:Publish", "AlertTopic")} if name == "Deliver" else set()
            self.assertEqual(DEFAULT.policy(name), always | topic, name)
            topic = {("sns:Publish", TOPIC)} if name == "Deliver" else set()
            self.assertEqual(FULL.policy(name), always | topic | secrets.get(name, set()) | KMS, name)

    def test_nothing_is_allowed_by_a_wildcard(self):
        for name, role in DEFAULT.of_type("AWS::IAM::Role").items():
            self.assertNotIn("ManagedPolicyArns", role, name)
            self.assertFalse([text for text in texts(role) if "*" in text], name)

    def test_no_two_stacks_get_in_each_others_way(self):
        names = {"FunctionName", "QueueName", "TopicName", "TableName", "LogGroupName", "RoleName", "AlarmName", "Name"}
        for name, resource in DEFAULT.resources.items():
            given = resource.get("Properties", {})
            for fixed in names & set(given):
                self.assertIsInstance(given[fixed], dict, f"{name}.{fixed}")


class TheAlarms(unittest.TestCase):
    def alarms(self, stack=DEFAULT):
        return stack.of_type("AWS::CloudWatch::Alarm")

    def test_each_is_heard_by_people_without_the_bridge(self):
        self.assertNotIn("OpsByEmail", DEFAULT.resources)
        self.assertEqual(FULL.properties("OpsByEmail")["Endpoint"], "ops@example.com")
        self.assertEqual({named(s["TopicArn"]) for s in FULL.of_type("AWS::SNS::Subscription").values()}, {"OpsTopic"})
        # With your key CloudWatch could not publish to it.
        self.assertNotIn("KmsMasterKeyId", FULL.properties("OpsTopic"))
        for name, alarm in self.alarms().items():
            self.assertEqual([named(topic) for topic in alarm["AlarmActions"]], ["OpsTopic"], name)
            self.assertEqual([named(topic) for topic in alarm["OKActions"]], ["OpsTopic"], name)
            self.assertGreater(len(alarm["AlarmDescription"]), 30, name)

    def test_what_must_ring_rings_and_in_time(self):
        watched = {}
        for alarm in self.alarms().values():
            for metric in [alarm] + [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m]:
                if "MetricName" in metric:
                    of = [named(d["Value"]) for d in metric.get("Dimensions", [])]
                    watched[(metric["MetricName"], *of)] = alarm
        for want in [
            # D1.3, D1.13: what the platform answers by itself.
            ("Throttles", "IngestFunction"),
            ("Url4xxCount", "IngestFunction"),
            ("Url5xxCount", "IngestFunction"),
            ("UrlRequestCount", "IngestFunction"),
            ("ConcurrentExecutions",),
            *[("Errors", f"{name}Function") for name in FUNCTIONS],
            ("Throttles", "EvaluateFunction"),
            ("Throttles", "DeliverFunction"),
            ("Invocations", "TickFunction"),
            *[("ApproximateNumberOfMessagesVisible", f"{q}DeadLetters") for q in ("Events", "Hints", "Tick")],
            ("ApproximateAgeOfOldestMessage", "EventsQueue"),
            ("ApproximateAgeOfOldestMessage", "HintsQueue"),
            ("WriteThrottleEvents", "Table"),
            ("ReadThrottleEvents", "Table"),
            ("SigningKeyChanged",),
            ("SigningKeyUnreadable",),
            ("SignatureFailures", "IngestFunction"),
            ("Verified", "IngestFunction"),
            ("TooLarge", "IngestFunction"),
            ("Quarantined", "IngestFunction"),
        ]:
            self.assertIn(want, watched)
        for name in ("SigningKeyChanged", "SigningKeyUnreadable"):
            alarm = watched[(name,)]
            self.assertLessEqual(alarm["Period"] * alarm["EvaluationPeriods"], 240, "a person hears within 5 minutes")

    def test_the_key_guardian_rings_when_signatures_fail_and_none_is_valid(self):
        alarm = self.alarms()["NoSignatureVerifies"]
        *metrics, judged = alarm["Metrics"]
        self.assertEqual(judged["Expression"], "IF(FILL(verified, 0) == 0, FILL(failures, 0), 0)")
        self.assertEqual((alarm["Threshold"], alarm["EvaluationPeriods"]), (1, 1))
        for metric in metrics:
            self.assertEqual(metric["MetricStat"]["Period"], 180, "longer than environments keep counts to themselves")

    def test_the_metrics_that_ring_are_counted_by_the_code(self):
        meter = ROOT / "src/lambda/meter.rs"
        counted = set(re.findall(r'"([A-Z]\w+)"', meter.read_text())) if meter.is_file() else set()
        self.assertTrue(counted, "no metrics in src/lambda/meter.rs")
        for name, alarm in self.alarms().items():
            for metric in [alarm] + [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m]:
                if metric.get("Namespace") == "CioAlertBridge":
                    self.assertIn(metric["MetricName"], counted, name)

    def test_a_tick_that_is_missing_is_no_missing_data(self):
        alarm = self.alarms()["TickMissing"]
        self.assertEqual((alarm["ComparisonOperator"], alarm["Threshold"]), ("LessThanThreshold", 1))
        for name, alarm in self.alarms().items():
            want = "breaching" if name == "TickMissing" else "notBreaching"
            self.assertEqual(alarm["TreatMissingData"], want, name)

    def test_capacity_rings_at_seventy_percent_of_what_is_allowed(self):
        for stack, units in ((DEFAULT, 10), (FULL, 50)):
            for name, expression in (
                ("IngestNearItsRate", "100 * requests / (PERIOD(requests) * 10 * ${Units})"),
                ("IngestNearItsConcurrency", "100 * busy / ${Units}"),
            ):
                alarm = self.alarms(stack)[name]
                self.assertEqual((alarm["Threshold"], alarm["ComparisonOperator"]), (70, "GreaterThanOrEqualToThreshold"))
                self.assertEqual(alarm["Metrics"][1]["Expression"], {"Fn::Sub": [expression, {"Units": units}]})

    def test_the_log_lines_that_ring_are_written_by_the_code(self):
        source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.rs"))
        written = set(re.findall(r'tracing::(?:warn|error)!\(\s*event = "([a-z_]+)"', source))
        filters = DEFAULT.of_type("AWS::Logs::MetricFilter")
        self.assertTrue(filters)
        for name, metric_filter in filters.items():
            events = re.findall(r'\$\.event = "([a-z_]+)"', metric_filter["FilterPattern"])
            self.assertTrue(events, name)
            self.assertLessEqual(set(events), written, name)
            (metric,) = metric_filter["MetricTransformations"]
            alarm = self.alarms()[metric["MetricName"]]
            self.assertEqual(alarm["MetricName"], metric["MetricName"])
            self.assertEqual(alarm["Namespace"], metric["MetricNamespace"])
            # A custom metric is paid for by the hour in which it has a value.
            self.assertNotIn("DefaultValue", metric)
        levels = yaml_parse(TEXT)["Parameters"]["LogLevel"]["AllowedValues"]
        self.assertNotIn("error", levels, "warnings ring too")


class TheDocumentation(unittest.TestCase):
    def test_every_alarm_parameter_and_output_is_explained(self):
        for name in [*DEFAULT.of_type("AWS::CloudWatch::Alarm"), *DEFAULT.parameters, *DEFAULT.outputs]:
            self.assertIn(f"`{name}`", OPERATIONS)

    def test_no_name_that_it_explains_is_gone(self):
        known = {*DEFAULT.resources, *DEFAULT.parameters, *DEFAULT.outputs}
        alarms = OPERATIONS.split("## The alarms", 1)[1].split("\n## ", 1)[0]
        for name in re.findall(r"^\| `(\w+)`", alarms, re.M):
            self.assertIn(name, known)

    def test_the_monthly_cost_counts_every_alarm(self):
        alarms = DEFAULT.of_type("AWS::CloudWatch::Alarm").values()
        paid = sum(len([m for m in alarm.get("Metrics", []) if "MetricStat" in m]) or 1 for alarm in alarms)
        self.assertIn(f"| alarms: {paid} metrics at $0.10 | {paid / 10:.2f} |", OPERATIONS)

    def test_the_template_needs_no_yaml_that_cloudformation_refuses(self):
        self.assertFalse(re.search(r"(^|\s)[&*][A-Za-z]", re.sub(r"#.*", "", TEXT)), "anchors and aliases")


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=1).result
    failed = len(result.failures) + len(result.errors)
    print(f"template: {result.testsRun - failed} passed, {failed} failed")
    sys.exit(failed > 0)
