"""Checks what `deploy` holds: that it renders, is valid, is locked down, and says only what the program understands.

    check.py PROGRAM [--bless]

PROGRAM is the built binary; `--bless` writes `deploy/kubernetes/cronjob.yaml` anew. Each function named `check_…` is a
test; the last line counts them as cargo's own runner does.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import helm_python as helm
import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/regsweep"
PLAIN = ROOT / "deploy/kubernetes"
SYSTEMD = ROOT / "deploy/systemd"
# The oldest that the chart allows, and the newest known here.
KUBERNETES = ("1.27", "1.37")
# Of 100, by `systemd-analyze security`.
EXPOSURE = 15

ROLE = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/regsweep"}
SECRET = {"registry": {"existingSecret": "registry-config"}}
CASES = {
    "a secret with the config.yml": SECRET,
    "a bucket, by web identity": {
        "registry": {"location": "s3://bucket/root"},
        "collect": {"arguments": ["--registry-cache=none", "--trash"]},
        "serviceAccount": {"annotations": ROLE},
    },
    "a config.yml of its own": {"registry": {"config": "version: 0.1\nstorage:\n  filesystem: {}\n", "key": "own.yml"}},
    "everything": {
        "image": {"digest": "sha256:" + "0" * 64},
        "imagePullSecrets": [{"name": "pull"}],
        "timeZone": "Europe/Berlin",
        "suspend": True,
        "registry": {"existingSecret": "registry-config", "key": "registry.yml"},
        "collect": {
            "untagged": True,
            "quarantine": "36h",
            "grace": "2d",
            "memory": "4GiB",
            "arguments": ["--share=50", "--max-deletes-per-second=1000"],
        },
        "env": [{"name": "AWS_REGION", "value": "eu-central-1"}],
        "envFrom": [{"secretRef": {"name": "aws"}}],
        "serviceAccount": {"create": False, "name": "collector"},
        "work": {"persistentVolumeClaim": "regsweep"},
        "volumes": [{"name": "registry", "persistentVolumeClaim": {"claimName": "registry"}}],
        "volumeMounts": [{"name": "registry", "mountPath": "/var/lib/registry"}],
        "activeDeadlineSeconds": 21600,
        "podLabels": {"team": "platform"},
        "podAnnotations": {"note": "nightly"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "low",
    },
    "nobody pushes": {**SECRET, "collect": {"online": False, "arguments": ["--offline"]}},
}
REFUSED = {
    "no place": ({}, "exactly one of"),
    "two places": ({"registry": {"location": "s3://b", "existingSecret": "s"}}, "exactly one of"),
    "a value that is not there": ({**SECRET, "colect": {}}, "colect"),
    "a duration that is none": ({**SECRET, "collect": {"quarantine": "soon"}}, "quarantine"),
    "a digest that is none": ({**SECRET, "image": {"digest": "latest"}}, "digest"),
    "a number in place of a word": ({**SECRET, "suspend": 1}, "suspend"),
}


def render(values):
    """The texts of the chart's objects, without notes and what is empty."""
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="nightly", namespace="registry")
    texts = {name: text.strip() for name, text in sorted(files.items()) if name.endswith(".yaml")}
    return {name.split("/templates/")[1]: text for name, text in texts.items() if text}


def objects(values):
    return {document["kind"]: document for document in map(yaml.safe_load, render(values).values())}


def pod_of(found):
    return found["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)


def succeeds(*command, **more):
    done = run(*command, **more)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def understood(arguments):
    """Whether the program knows all of these: help is given only where nothing before it was wrong."""
    return run(PROGRAM, *arguments, "--help").returncode == 0


def check_the_chart_has_no_fault_that_helm_finds():
    found = helm.lint(str(CHART), SECRET, strict=True)
    assert not found["errors"], found
    # An icon is for catalogues.
    loud = [message for message in found["messages"] if message["severity"] > 1]
    assert not loud, loud


def check_every_case_renders_to_objects_that_kubernetes_takes():
    for case, values in CASES.items():
        for document in objects(values).values():
            for version in KUBERNETES:
                try:
                    kubernetes_validate.validate(document, version, strict=True)
                except kubernetes_validate.ValidationError as error:
                    raise AssertionError(f"{case}: {document['kind']}, {version}: {error}") from error


def check_a_document_that_kubernetes_does_not_take_is_found():
    document = objects(SECRET)["CronJob"]
    document["spec"]["concurencyPolicy"] = document["spec"].pop("concurrencyPolicy")
    try:
        kubernetes_validate.validate(document, KUBERNETES[-1], strict=True)
    except kubernetes_validate.ValidationError:
        return
    raise AssertionError("the misspelt field was taken")


def check_what_contradicts_itself_or_is_unknown_is_refused_by_name():
    for case, (values, said) in REFUSED.items():
        try:
            render(values)
        except helm.HelmError as error:
            assert said in str(error), f"{case}: {error}"
        else:
            raise AssertionError(f"{case} is taken")


def check_the_program_understands_what_it_is_told():
    for case, values in CASES.items():
        found = objects(values)
        for pod in (pod_of(found), found["Pod"]["spec"]):
            arguments = pod["containers"][0]["args"]
            assert understood(arguments), f"{case}: {arguments}"
    assert not understood(["gc", "/config/config.yml", "--onlin"])


def check_the_pod_may_do_nothing_that_it_need_not():
    for case, values in CASES.items():
        found = objects(values)
        pod = pod_of(found)
        container = pod["containers"][0]
        told = found["Pod"]["spec"]["containers"][0]["args"]
        assert found["Pod"]["spec"] == {**pod, "containers": [{**container, "args": told}]}, f"{case}: the test's pod"
        assert found["CronJob"]["spec"]["concurrencyPolicy"] == "Forbid", case
        assert pod["automountServiceAccountToken"] is False, case
        assert pod["securityContext"]["runAsNonRoot"] is True, case
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, case
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, case
        assert "memory" in container["resources"]["limits"], case
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}, case


def check_the_test_of_a_release_asks_for_what_the_release_will_do():
    told = objects(CASES["a bucket, by web identity"])["Pod"]["spec"]["containers"][0]["args"]
    assert told == ["doctor", "s3://bucket/root", "--for=gc-online", "--registry-cache=none", "--trash"], told
    told = objects(CASES["nobody pushes"])["Pod"]["spec"]["containers"][0]["args"]
    assert told == ["doctor", "/config/config.yml", "--for=gc", "--offline"], told


def check_secrets_are_mounted_and_never_in_the_arguments():
    found = objects(CASES["a config.yml of its own"])
    secret, pod = found["Secret"], pod_of(found)
    volume = next(volume for volume in pod["volumes"] if volume["name"] == "config")
    assert volume["secret"]["secretName"] == secret["metadata"]["name"]
    assert yaml.safe_load(secret["stringData"]["own.yml"])["version"] == 0.1
    assert pod["containers"][0]["args"][:2] == ["gc", "/config/own.yml"]
    bucket = objects(CASES["a bucket, by web identity"])
    assert bucket["ServiceAccount"]["metadata"]["annotations"] == ROLE
    assert "Secret" not in bucket


def check_every_value_is_in_the_schema_and_every_value_of_the_schema_has_a_default():
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def compare(place, value, described):
        if described.get("additionalProperties") is False:
            names = set(described["properties"]) - {"global"}
            assert names == set(value), f"{place}: {names ^ set(value)}"
            for name in names:
                compare(f"{place}.{name}", value[name], described["properties"][name])

    compare("", values, schema)


def check_the_plain_objects_are_those_of_the_chart():
    values = yaml.safe_load((PLAIN / "values.yaml").read_text())
    # Nothing of Helm's own where Helm does not manage it.
    own = re.compile(r"^ *(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n", re.MULTILINE)
    head = (
        "# The chart in plain, for kubectl apply: a nightly collection while people push. Made from values.yaml beside it.\n"
        "# It needs a secret `registry-config` with the registry's config.yml, and takes AWS_* from `regsweep-aws`.\n"
    )
    text = head + "".join(f"---\n{own.sub('', document)}\n" for name, document in render(values).items() if "tests/" not in name)
    text = text.replace("nightly-regsweep", "regsweep").replace("instance: nightly", "instance: regsweep")
    path = PLAIN / "cronjob.yaml"
    if BLESS:
        path.write_text(text)
    assert path.read_text() == text, f"{path} is not what the chart renders"
    for document in yaml.safe_load_all(text):
        kubernetes_validate.validate(document, KUBERNETES[-1], strict=True)


def check_the_dockerfile_has_no_fault_that_its_linter_finds():
    succeeds(Path(sys.executable).parent / "hadolint", "--failure-threshold=info", ROOT / "deploy/Dockerfile")


def check_the_image_is_one_static_program_that_runs_as_nobody():
    last = (ROOT / "deploy/Dockerfile").read_text().rsplit("\nFROM ", 1)[1]
    assert last.startswith("scratch\n")
    assert "\nUSER 65532:65532\n" in last
    assert '\nENTRYPOINT ["/usr/bin/regsweep"]\n' in last
    assert "RUN" not in last, "there is no shell"


def check_what_the_image_is_built_from_is_all_that_cargo_needs():
    allowed = [line[1:] for line in (ROOT / "deploy/Dockerfile.dockerignore").read_text().split() if line[0] == "!"]
    with tempfile.TemporaryDirectory() as context:
        for name in allowed:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, Path(context) / name)
        succeeds("cargo", "metadata", "--locked", "--offline", "--no-deps", "--format-version=1", cwd=context)


def check_the_units_are_understood_by_systemd_and_expose_little():
    with tempfile.TemporaryDirectory() as folder:
        for unit in SYSTEMD.iterdir():
            text = unit.read_text().replace("/usr/bin/regsweep", str(PROGRAM))
            (Path(folder) / unit.name).write_text(text)
        units = sorted(Path(folder).iterdir())
        done = succeeds("systemd-analyze", "verify", "--man=no", *units)
        assert done.stderr == "", done.stderr
        service = Path(folder) / "regsweep.service"
        succeeds("systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE}", service)


def check_the_program_understands_what_its_unit_says():
    command = re.search(r"^ExecStart=\S+ (.*)$", (SYSTEMD / "regsweep.service").read_text(), re.MULTILINE)
    assert understood(command.group(1).split()), command.group(1)


def check_the_timer_starts_the_service_every_night():
    timer = (SYSTEMD / "regsweep.timer").read_text()
    calendar = re.search(r"^OnCalendar=(.*)$", timer, re.MULTILINE).group(1)
    succeeds("systemd-analyze", "calendar", calendar)


def check_each_shell_reads_its_completions():
    with tempfile.TemporaryDirectory() as folder:
        for shell in ("bash", "zsh", "fish"):
            script = Path(folder) / shell
            script.write_text(succeeds(PROGRAM, "completions", shell).stdout)
            assert succeeds(shell, "-n", script).stderr == "", shell


def check_manual_pages_have_no_fault_that_their_readers_find():
    with tempfile.TemporaryDirectory() as folder:
        succeeds(PROGRAM, "man", "--out", folder)
        pages = sorted(Path(folder).iterdir())
        assert pages
        for page in pages:
            # Warnings are of spaces and breaks that the library writes.
            succeeds("mandoc", "-Tlint", "-Werror", page)
            shown = succeeds("mandoc", "-Tutf8", page).stdout
            assert "REGSWEEP" in shown and "SEE ALSO" in re.sub(".\b", "", shown), page.name


def main():
    checks = {name: check for name, check in globals().items() if name.startswith("check_")}
    failed = 0
    for name, check in checks.items():
        try:
            check()
            print(f"ok      {name[6:].replace('_', ' ')}")
        except Exception:  # noqa: BLE001: whatever it is, the others are run
            failed += 1
            print(f"FAILED  {name[6:].replace('_', ' ')}\n{traceback.format_exc()}")
    passed = len(checks) - failed
    print(f"test result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed; 0 ignored")
    return 1 if failed else 0


if __name__ == "__main__":
    PROGRAM = Path(sys.argv[1]).resolve()
    BLESS = "--bless" in sys.argv[2:]
    os.environ.pop("REGSWEEP_STATE", None)
    sys.exit(main())
