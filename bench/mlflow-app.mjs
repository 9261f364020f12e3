// The platform without models, and beside its API a route whose function does nothing: what is left of a call's time there is the engine's own.
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { MlOpsPlatform } from '../dist/index.js';

const stack = new Stack(new App(), 'Bench');
new MlOpsPlatform(stack, 'MlOps', { platformName: 'bench' });
// It logs a line, as every handler does: the engine waits for one.
const code = lambda.Code.fromInline('exports.handler = async () => { console.log("call"); return { statusCode: 200, body: "{}" }; };');
const nothing = new lambda.Function(stack, 'Nothing', { runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler', code, memorySize: 1024 });
const api = new HttpApi(stack, 'Empty', { defaultIntegration: new HttpLambdaIntegration('Nothing', nothing) });
new CfnOutput(stack, 'EmptyApi', { value: api.apiId });
