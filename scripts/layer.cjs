'use strict';
// The version of scikit-learn in the layer, for serverless.yml. scripts/build-layer writes the file
// that holds it next to the layer's zip.
const fs = require('fs');
const path = require('path');
const { runtime } = require('./python-version.cjs');

const architecture = process.env.LAMBDA_ARCHITECTURE || 'x86_64';
const file = path.join(__dirname, '..', '.local', 'layer', `${runtime}-${architecture}.json`);

// Commands such as `sls logs` need no layer. Those that do fail if the zip is missing.
let scikitLearn = 'no layer is built';
if (fs.existsSync(file)) {
  const { packages } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const found = packages.find((one) => one.startsWith('scikit-learn=='));
  if (!found) throw new Error(`${file} does not list scikit-learn; run ./scripts/build-layer`);
  scikitLearn = found.split('==')[1];
}
module.exports = { scikitLearn };
