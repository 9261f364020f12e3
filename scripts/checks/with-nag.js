// Preloaded into a CDK app (node --require): the unmodified app gets cdk-nag's AwsSolutions rules as a validation plug-in before it synthesizes.
const fs = require('node:fs');
const Module = require('node:module');

const load = Module._load;

/** The pack, which also leaves a note of what it looked at: a report without findings does not tell that anything was checked. */
const packFor = (app) => {
  const { AwsSolutionsChecks } = require('cdk-nag');
  const pack = new AwsSolutionsChecks(app, { verbose: true });
  const validate = pack.validate.bind(pack);
  const checkResource = pack.checkResource.bind(pack);
  let resources = 0;
  pack.checkResource = (node) => {
    resources += 1;
    checkResource(node);
  };
  pack.validate = (context) => {
    const result = validate(context);
    fs.writeFileSync(process.env.MLOPS_NAG_NOTE, JSON.stringify({ resources }));
    return result;
  };
  return pack;
};

let patched = false;
Module._load = function (request, ...rest) {
  const exported = load.call(this, request, ...rest);
  if (request === 'aws-cdk-lib' && !patched) {
    patched = true;
    const { Stage, Validations } = exported;
    const { synth } = Stage.prototype;
    const known = new WeakSet();
    Stage.prototype.synth = function (options) {
      if (this.node.scope === undefined && !known.has(this)) {
        known.add(this);
        Validations.of(this).addPlugins(packFor(this));
      }
      return synth.call(this, options);
    };
  }
  return exported;
};
