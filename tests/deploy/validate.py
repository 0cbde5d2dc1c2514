"""Holds what is deployed against the strictest schemas there are: `validate.py CRDS NAME=FILE...`, `-` for no CRDS.

Kubernetes' own objects: its published schemas, of the oldest and the newest release that is meant, unknown fields
refused. Others: the schema of their CustomResourceDefinition, closed the same way. What kustomize made (NAME begins with
`kustomize `) is also held against itself: selectors, volumes, names. Prints what is wrong, a line each; exit code 1 if
anything is.
"""

import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml

RELEASES = ["1.32", "1.37"]

# `wash` ignores keys that it does not know: a misspelt address would listen to the whole network.
WASH = {
    "build": {"command": str, "component_path": str},
    "dev": {"address": str},
    "workload": {"allowedHosts": list},
}


class Strict(yaml.SafeLoader):
    """YAML 1.1 as Kubernetes reads it, but a key that stands twice is an error, and so is one that is no text."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is no text", node.start_mark)
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def closed(schema):
    """The schema, with fields refused that it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        # Under `properties` keys are names, not words of the schema.
        named = key == "properties"
        out[key] = {name: closed(it) for name, it in value.items()} if named else closed(value)
    keeps = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if "properties" in schema and schema.get("type") == "object" and not keeps:
        out["additionalProperties"] = False
    return out


def definitions(folder):
    """Closed schemas by (apiVersion, kind)."""
    schemas = {}
    for path in sorted(pathlib.Path(folder).glob("*.yaml")):
        spec = yaml.safe_load(path.read_text())["spec"]
        for version in spec["versions"]:
            key = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
            schemas[key] = closed(version["schema"]["openAPIV3Schema"])
    return schemas


def against_kubernetes(document):
    for release in RELEASES:
        try:
            kubernetes_validate.validate(document, release, strict=True)
        except kubernetes_validate.ValidationError as error:
            where = ".".join(str(step) for step in error.absolute_path) or "the document"
            yield f"{where}: {error.message.splitlines()[0]} (Kubernetes {release})"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield error.message


def against_definition(document, schema):
    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        where = ".".join(str(step) for step in error.absolute_path) or "the document"
        yield f"{where}: {error.message.splitlines()[0]}"
    # A definition says nothing of metadata; all kinds have the same.
    same = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": document.get("metadata")}
    yield from against_kubernetes(same)


def against_wash(document):
    for table, keys in document.items():
        for key, value in keys.items():
            if not isinstance(value, WASH.get(table, {}).get(key, ())):
                yield f"{table}.{key}: unknown, or of another type"
    if not document.get("dev", {}).get("address", "").startswith("127.0.0.1:"):
        yield "dev.address: listens beyond this machine"


def selects(selector, labels):
    wanted = (selector or {}).get("matchLabels", selector) or {}
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def against_each_other(documents):
    """What no schema sees: names that stand nowhere, selectors that select nothing, or everything."""
    there = {(it["kind"], it["metadata"]["name"]) for it in documents}
    for pods in (it for it in documents if it["kind"] == "StatefulSet"):
        spec, labels = pods["spec"], pods["spec"]["template"]["metadata"]["labels"]
        pod = spec["template"]["spec"]
        volumes = {it["name"]: it for it in pod["volumes"]}
        named = {("Service", spec["serviceName"]), ("ServiceAccount", pod["serviceAccountName"])}
        named |= {("ConfigMap", it["configMap"]["name"]) for it in volumes.values() if "configMap" in it}
        for container in pod["containers"]:
            named |= {("ConfigMap", it["configMapRef"]["name"]) for it in container["envFrom"] if "configMapRef" in it}
            mounted = {it["name"] for it in container["volumeMounts"]}
            yield from (f"volume {name} is not mounted, or not there" for name in mounted ^ volumes.keys())
        yield from (f"{kind} {name} is not there" for kind, name in named - there)
        selectors = {
            "StatefulSet": lambda it: it["selector"],
            "Service": lambda it: it["selector"],
            "PodDisruptionBudget": lambda it: it["selector"],
            "NetworkPolicy": lambda it: it["podSelector"],
        }
        for other in (it for it in documents if it["kind"] in selectors):
            if not selects(selectors[other["kind"]](other["spec"]), labels):
                yield f"{other['kind']} {other['metadata']['name']} selects other pods than these, or all there are"


def unpinned(value):
    """Images without a version, wherever they stand. `tallow` is the name that kustomize replaces."""
    if isinstance(value, dict):
        image = value.get("image")
        if isinstance(image, str) and image != "tallow":
            _, colon, tag = image.rpartition("/")[2].partition(":")
            if not colon or tag == "latest":
                yield f"{image} is not pinned to a version"
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from unpinned(item)


def problems(document, schemas):
    kind = document.get("kind")
    key = document.get("apiVersion"), kind
    if key == (None, None):
        return against_wash(document)
    if key[0].startswith("kustomize.config.k8s.io/"):
        return []  # kustomize itself refuses what it does not know
    if key in schemas:
        return against_definition(document, schemas[key])
    if not schemas and kind in ("SpinApp", "WorkloadDeployment"):
        print(f"skipped: {kind} {document['metadata']['name']}: its definition is not here")
        return []
    return against_kubernetes(document)


def main(crds, files):
    schemas = definitions(crds) if crds != "-" else {}
    bad, seen = [], 0
    for name, path in files:
        try:
            text = pathlib.Path(path).read_text()
            documents = [it for it in yaml.load_all(text, Strict) if it is not None]
        except yaml.YAMLError as error:
            bad.append(f"{name}: {error}")
            continue
        seen += len(documents)
        for document in documents:
            what = f"{name}: {document.get('kind', 'document')}"
            bad += [f"{what}: {problem}" for problem in (*problems(document, schemas), *unpinned(document))]
        if name.startswith("kustomize "):
            bad += [f"{name}: {problem}" for problem in against_each_other(documents)]
    print("\n".join(bad) or f"{seen} documents are good")
    return 1 if bad or not seen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], [argument.split("=", 1) for argument in sys.argv[2:]]))
