import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Validator } from '../../../../lib/common/validation';
import { Approval } from '../../../../lib/pipeline/approval/approval';
import { checkRules, statedRules, VersionRule, VersionStep } from '../../../../lib/registry/version-rule';
import { samplePipeline } from '../samples';

const problems = (approval: Approval): (() => void) => () => approval._validate(new Validator('here')).throwIfAny();
const role = (stack: Stack): iam.IRole => iam.Role.fromRoleArn(stack, 'Lead', 'arn:aws:iam::111122223333:role/people/Lead', { mutable: false });

describe('policies', () => {
  test('expire after a week and remind after half of the time, unless they say otherwise', () => {
    expect(Approval.automatic()._toSpec()).toEqual({ policy: 'automatic' });
    expect(Approval.manual()._toSpec()).toEqual({ policy: 'manual', expirySeconds: 604_800, reminderSeconds: 302_400 });
    const own = Approval.twoPerson({ expiry: Duration.days(2), reminder: Duration.hours(4) });
    expect(own._toSpec()).toEqual({ policy: 'two-person', expirySeconds: 172_800, reminderSeconds: 14_400 });
  });

  test('are rules that the registry keeps', () => {
    const evidence = [VersionRule.evidence(VersionStep.PRODUCTION)];
    expect(statedRules(evidence, Approval.automatic())).toEqual([{ state: 'Production', evidence: true }]);
    expect(statedRules(undefined, Approval.manual())).toEqual([{ state: 'Approved', person: true }]);
    expect(statedRules(evidence, Approval.twoPerson())).toEqual([{ state: 'Production', evidence: true }, { state: 'Approved', twoPerson: true }]);
  });

  test('are refused at synth where times are not sound or nobody could decide', () => {
    expect(problems(Approval.manual({ expiry: Duration.minutes(9) }))).toThrow(/approval.expiry.*between 600 and 25920000/);
    expect(problems(Approval.manual({ expiry: Duration.days(301) }))).toThrow(/approval.expiry/);
    expect(problems(Approval.manual({ expiry: Duration.hours(1), reminder: Duration.hours(1) }))).toThrow(/remind before the approval expires/);
    expect(problems(Approval.manual({ approvers: [] }))).toThrow(/nobody could decide/);
    expect(problems(Approval.twoPerson({ expiry: Duration.hours(1), reminder: Duration.minutes(30) }))).not.toThrow();
  });

  test('are refused at synth beside rules that say something else', () => {
    const check = (step: VersionStep, approval: Approval) => () =>
      checkRules(new Validator('here'), [VersionRule.twoPersons(step)], approval).throwIfAny();
    expect(check(VersionStep.APPROVED, Approval.manual())).toThrow(/use Approval.twoPerson\(\)/);
    expect(check(VersionStep.REJECTED, Approval.manual())).toThrow(/two persons for Rejected beside an approval that expires/);
    expect(check(VersionStep.PRODUCTION, Approval.manual())).not.toThrow();
  });
});

describe('a pipeline whose versions persons approve', () => {
  const stackOf = (approval: Approval) => samplePipeline({ approval });

  test('waits for them with a task token, longer than the approval lasts', () => {
    const { stack, pipeline } = stackOf(Approval.manual({ expiry: Duration.hours(2) }));
    const machines = Object.values(Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine'));
    const definition = machines.map(({ Properties }) => JSON.stringify(Properties.DefinitionString).replaceAll('\\', '')).join('\n');
    expect(definition).toContain(':states:::lambda:invoke.waitForTaskToken');
    expect(definition).toContain('"expirySeconds":7200,"reminderSeconds":3600');
    expect(definition).toContain('"TimeoutSeconds":10800');
    expect(pipeline._decideFunction).toBeDefined();
  });

  test('brings table, functions and sweep once for the stack; an automatic one brings none of them', () => {
    const handlers = (stack: Stack) =>
      Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function')).map(({ Properties }) => Properties.Description as string);
    const persons = handlers(stackOf(Approval.twoPerson()).stack).filter((one) => /persons|approvals/.test(one));
    expect(persons.sort()).toEqual([
      'Asks persons to approve a version',
      'Reminds of approvals, ends those that expired, and answers runs',
      'Takes the decisions of persons on versions',
    ]);
    const automatic = samplePipeline().stack;
    expect(handlers(automatic).filter((one) => /persons|approvals/.test(one))).toEqual([]);
    expect(Object.keys(automatic.node.children.map(({ node }) => node.id)).join()).not.toContain('MlOpsApproval');
  });

  test('lets only the functions that decide and sweep answer its runs', () => {
    const template = Template.fromStack(stackOf(Approval.manual()).stack);
    const roles = Object.entries(template.findResources('AWS::IAM::Role')).filter(([, found]) => JSON.stringify(found).includes('SendTaskSuccess'));
    expect(roles.map(([id]) => id.replace(/^MlOpsApproval[0-9a-f]{8}|Role.*$/g, '')).sort()).toEqual(['Decide', 'Sweep']);
  });

  test('grants its approvers one call, and hands their roles to the step', () => {
    const stack = new Stack(new App(), 'Other');
    const { stack: made } = stackOf(Approval.manual({ approvers: [role(stack)] }));
    expect(JSON.stringify(Template.fromStack(made).toJSON())).toContain('arn:aws:iam::111122223333:role/people/Lead');
    const { stack: own, pipeline } = stackOf(Approval.manual());
    const person = new iam.Role(own, 'Person', { assumedBy: new iam.AccountRootPrincipal() });
    pipeline.grantApprove(person);
    Template.fromStack(own).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: [{ Action: 'lambda:InvokeFunction', Effect: 'Allow', Resource: Match.anyValue() }], Version: '2012-10-17' },
    });
    expect(() => samplePipeline().pipeline.grantApprove(person)).toThrow(/nobody approves where the approval is automatic/);
  });

  test('tells a topic what the gate said and how to decide', () => {
    const { stack } = (() => {
      const topics = new Stack(new App(), 'Topics');
      return stackOf(Approval.manual({ topic: sns.Topic.fromTopicArn(topics, 'Topic', 'arn:aws:sns:eu-west-1:111122223333:people') }));
    })();
    const message = Object.values(Template.fromStack(stack).findResources('AWS::Events::Rule')).find(({ Properties }) =>
      JSON.stringify(Properties).includes('InputTemplate'),
    );
    const target = message!.Properties.Targets[0];
    expect(target.Arn).toBe('arn:aws:sns:eu-west-1:111122223333:people');
    expect(target.InputTransformer.InputTemplate).toContain('mlops approve Demand <detail-version> --reason TEXT');
    expect(target.DeadLetterConfig).toBeDefined();
    expect(message!.Properties.EventPattern['detail-type']).toEqual(['Approval Requested']);
  });
});
