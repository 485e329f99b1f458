'use strict';
// The project's Python version, for serverless.yml: from the environment variable PYTHON_VERSION, or
// else from the file .python-version. Python code gets it from scripts/lib/project.py.
const fs = require('fs');
const path = require('path');

const versions = fs.readFileSync(path.join(__dirname, 'versions.env'), 'utf8');
const SUPPORTED = /^SUPPORTED_PYTHONS="(.*)"$/m.exec(versions)[1].split(' ');
const file = path.join(__dirname, '..', '.python-version');
const source = process.env.PYTHON_VERSION ? 'PYTHON_VERSION' : file;
const version = (process.env.PYTHON_VERSION || fs.readFileSync(file, 'utf8')).trim();
if (!SUPPORTED.includes(version)) {
  throw new Error(
    `Python ${version} (from ${source}) is not supported; this project runs on ${SUPPORTED.join(', ')}`
  );
}
module.exports = { version, runtime: `python${version}` };
