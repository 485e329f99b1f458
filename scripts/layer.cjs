'use strict';
// What the scikit-learn layer holds, for serverless.yml: scripts/build-layer writes it beside the zip.
const fs = require('fs');
const path = require('path');
const { runtime } = require('./python-version.cjs');

const architecture = process.env.LAMBDA_ARCHITECTURE || 'x86_64';
const file = path.join(__dirname, '..', '.local', 'layer', `${runtime}-${architecture}.json`);

// Commands such as `sls logs` need no layer. One that does stops where the zip is missing.
let scikitLearn = 'no layer is built';
if (fs.existsSync(file)) {
  const { packages } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const found = packages.find((one) => one.startsWith('scikit-learn=='));
  if (!found) throw new Error(`${file} names no scikit-learn; run ./scripts/build-layer`);
  scikitLearn = found.split('==')[1];
}
module.exports = { scikitLearn };
