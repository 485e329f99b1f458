'use strict';
// A plugin of the deployer that adds bytecode to the functions' zips, after they are written and
// before they are hashed. It runs scripts/lib/function_bytecode.py. What happens where there is no
// Python of the runtime's version, and why: docs/decisions/0025-bytecode-beside-sources.md.
const path = require('path');
const { execFile } = require('child_process');
const { promisify } = require('util');

const run = promisify(execFile);
const PROGRAM = path.join(__dirname, 'lib', 'function_bytecode.py');
const TAG = 'import sys; print(sys.implementation.cache_tag)';
// No modules from the working directory, no installed packages, and no warnings.
const OPTIONS = ['-P', '-s', '-S', '-W', 'ignore'];
const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PYTHON'));
const env = { ...Object.fromEntries(inherited), PYTHONHASHSEED: '0', PYTHONUTF8: '1' };

class Bytecode {
  constructor(serverless, options, { log }) {
    this.serverless = serverless;
    this.log = log;
    this.hooks = {
      'after:package:createDeploymentArtifacts': () => this.add(serverless.service.getAllFunctions()),
      'after:package:function:package': () => this.add([options.function]), // `deploy function -f`
    };
  }

  // Add bytecode to the zips of the named functions, if they run on the provider's Python.
  async add(names) {
    const { runtime } = this.serverless.service.provider;
    const [, version] = /^python(3\.\d+)$/.exec(runtime) || [];
    const zips = version ? this.zips(names, runtime) : [];
    if (!zips.length) return;
    const python = await this.findPython(version);
    if (!python) {
      this.log.warning(
        'The functions are packaged without bytecode, and each cold start compiles them again: ' +
          `Python ${version} was not found. To install it, run ` +
          `PYTHON_VERSION=${version} ./scripts/build-layer.`
      );
      return;
    }
    const failures = (await Promise.all(zips.map((zip) => compile(python, zip)))).filter(Boolean);
    if (failures.length) {
      throw new this.serverless.classes.Error(failures.join('\n'), 'FUNCTION_DOES_NOT_COMPILE');
    }
  }

  // Return the zips that the deployer has just made for functions of that runtime. It has not made a
  // zip that serverless.yml names itself, and an image has no zip.
  zips(names, runtime) {
    const { service, serviceDir } = this.serverless;
    const found = names
      .map((name) => service.getFunction(name))
      .filter((one) => !one.image && (one.runtime || runtime) === runtime)
      .map((one) => one.package?.artifact || service.package.artifact)
      .filter((zip) => zip && path.dirname(zip) === path.join(serviceDir, '.serverless'));
    return [...new Set(found)];
  }

  // Return an interpreter of a version, from the project's environments or from PATH.
  async findPython(version) {
    const environments = [`.venv-${version}`, '.venv'];
    const candidates = [
      ...environments.map((one) => path.join(this.serverless.serviceDir, one, 'bin', 'python')),
      ...[`python${version}`, 'python3', 'python'],
    ];
    for (const candidate of candidates) {
      // It may be missing, of another version, or a shim of pyenv for a version it does not have.
      const probe = await run(candidate, ['-S', '-c', TAG], { env }).catch(() => ({ stdout: '' }));
      if (probe.stdout.trim() === `cpython-${version.replace('.', '')}`) return candidate;
    }
    return null;
  }
}

// Add bytecode to a zip; return the error message, or null.
async function compile(python, zip) {
  try {
    await run(python, [...OPTIONS, PROGRAM, zip], { env });
    return null;
  } catch (error) {
    const reason = (error.stderr || error.message).trim().split('\n').pop();
    return `${path.basename(zip)} could not be packaged: ${reason}`;
  }
}

module.exports = Bytecode;
