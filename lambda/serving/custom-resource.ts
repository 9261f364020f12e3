import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';

export interface Outcome {
  readonly status: 'SUCCESS' | 'FAILED';
  readonly physicalResourceId: string;
  readonly reason?: string;
}

/** Tells CloudFormation how a custom resource's request ended, at the presigned address that came with it. */
export const respond = async (event: CloudFormationCustomResourceEvent, outcome: Outcome): Promise<void> => {
  const body = JSON.stringify({
    Status: outcome.status,
    PhysicalResourceId: outcome.physicalResourceId,
    Reason: outcome.reason ?? outcome.status,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  });
  const url = new URL(event.ResponseURL);
  const send = url.protocol === 'http:' ? plainRequest : request;
  await new Promise<void>((resolve, reject) => {
    // The signature covers an empty content type; any other one makes S3 refuse the answer and the stack wait for an hour.
    const headers = { 'content-type': '', 'content-length': Buffer.byteLength(body) };
    const call = send(url, { method: 'PUT', headers }, (response) => {
      response.resume();
      response.on('end', () =>
        (response.statusCode ?? 500) < 300 ? resolve() : reject(new Error(`CloudFormation did not take the answer: ${response.statusCode}`)),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
};
