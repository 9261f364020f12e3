"""What the training and the serving runner share: the user's code directory."""
import importlib.metadata
import os
import re


def unmet_requirements(directory):
    """The image would install requirements.txt; the engine installs nothing, so what is not there is named instead of failing later."""
    file = os.path.join(directory, "requirements.txt")
    if not os.path.exists(file):
        return []
    missing = []
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            text = line.split("#", 1)[0].split(";", 1)[0].strip()
            if not text or text.startswith("-"):
                continue
            name = re.split(r"[\s<>=!~\[@]", text, maxsplit=1)[0]
            pinned = re.search(r"==\s*([^\s,]+)", text)
            try:
                version = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                missing.append(text)
                continue
            if pinned and pinned.group(1) != version:
                missing.append("%s (the local engine has %s)" % (text, version))
    return missing
