'use strict';
// The format of the artifacts that the functions read, for serverless.yml.
const fs = require('fs');
const path = require('path');

const file = path.join(__dirname, '..', 'sklearn_api', 'artifact', 'header.py');
const found = /^FORMAT = (\d+)$/m.exec(fs.readFileSync(file, 'utf8'));
if (!found) throw new Error(`${file} does not say what FORMAT is`);
module.exports = { format: found[1] };
