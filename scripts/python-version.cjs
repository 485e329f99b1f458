'use strict';
// The project's Python for serverless.yml: the file .python-version, or the environment variable
// PYTHON_VERSION for one command. Python code reads it in scripts/lib/project.py.
const fs = require('fs');
const path = require('path');

const SUPPORTED = ['3.11', '3.12', '3.13'];
const file = path.join(__dirname, '..', '.python-version');
const source = process.env.PYTHON_VERSION ? 'PYTHON_VERSION' : file;
const version = (process.env.PYTHON_VERSION || fs.readFileSync(file, 'utf8')).trim();
if (!SUPPORTED.includes(version)) {
  throw new Error(`${source} says "${version}"; this project runs on ${SUPPORTED.join(', ')}`);
}
module.exports = { version, runtime: `python${version}` };
