'use strict';
// A plugin of the deployer that gives each function with MODEL_NAME a role of its own, made from the
// template `custom.modelRole`, and lets `health` know all models. It fills in these placeholders of
// serverless.yml:
//
//   <function>, <Function>  in the template: the function's name, and its part of logical IDs
//   <model>                 in the template: the function's MODEL_NAME
//   <models>                in environments of functions and in outputs: all, separated by commas
//   <each model>            in a list of a resource: its entry is repeated for each model
//
// Why: docs/decisions/0035-roles-from-a-template.md.
const MAX_ROLE_NAME = 64; // IAM's limit
const MODEL = /^[A-Za-z0-9][A-Za-z0-9._-]*$/; // nothing that a policy would take for a wildcard

class Roles {
  constructor(serverless) {
    this.serverless = serverless;
    this.naming = serverless.getProvider('aws').naming;
    this.hooks = { initialize: () => this.add() }; // before every command: some read the roles
  }

  add() {
    const { service } = this.serverless;
    const names = service.getAllFunctions();
    const modelOf = new Map(names.map((name) => [name, this.model(name)]).filter(([, model]) => model));
    const models = [...new Set(modelOf.values())];
    const resources = repeated(service.resources?.Resources || {}, models);
    for (const [name, model] of modelOf) {
      if (service.getFunction(name).role) continue; // one of its own
      const id = this.naming.getNormalizedFunctionName(name);
      const role = filled(service.custom.modelRole, { function: name, Function: id, model });
      this.check(name, role);
      resources[`${id}Role`] = role;
      service.getFunction(name).role = `${id}Role`;
    }
    const all = { models: models.join(',') };
    for (const { environment } of names.map((name) => service.getFunction(name))) {
      if (environment) Object.assign(environment, filled(environment, all));
    }
    const outputs = filled(service.resources?.Outputs || {}, all);
    service.resources = { ...service.resources, Resources: resources, Outputs: outputs };
  }

  // Return the model of a function, or undefined if it serves none.
  model(name) {
    const model = this.serverless.service.getFunction(name).environment?.MODEL_NAME;
    if (model === undefined || (typeof model === 'string' && MODEL.test(model))) return model;
    throw new this.serverless.classes.Error(
      `MODEL_NAME of the function ${name} is ${JSON.stringify(model)}; a model's name consists of ` +
        'letters, digits, hyphens, dots and underscores',
      'MODEL_NAME_NOT_VALID'
    );
  }

  check(name, role) {
    const called = role.Properties.RoleName;
    if (called.length <= MAX_ROLE_NAME) return;
    throw new this.serverless.classes.Error(
      `the role of the function ${name} would be called ${called}, which has ${called.length} ` +
        `characters; IAM allows ${MAX_ROLE_NAME}. Shorten the name of the function or of the stage`,
      'ROLE_NAME_TOO_LONG'
    );
  }
}

// Return a copy of a value in which all strings have their placeholders filled in.
function filled(value, words) {
  const fill = (text) => text.replace(/<([\w ]+)>/g, (all, word) => words[word] ?? all);
  if (typeof value === 'string') return fill(value);
  if (Array.isArray(value)) return value.map((one) => filled(one, words));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, words)]));
}

// Return a copy of a value in which each entry of a list with <each model> is there for every model.
function repeated(value, models) {
  if (Array.isArray(value)) {
    return value
      .map((one) => repeated(one, models))
      .flatMap((one) =>
        JSON.stringify(one).includes('<each model>')
          ? models.map((model) => filled(one, { 'each model': model }))
          : [one]
      );
  }
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, repeated(one, models)]));
}

module.exports = Roles;
