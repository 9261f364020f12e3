import * as apigateway from 'aws-cdk-lib/aws-apigateway';

/** Who asked for what and what came of it; neither query strings nor payloads, which hold names and values of the user. */
export const accessLogFormat = (platformName: string): apigateway.AccessLogFormat => {
  const field = apigateway.AccessLogField;
  return apigateway.AccessLogFormat.custom(
    JSON.stringify({
      platform: platformName,
      requestId: field.contextRequestId(),
      time: field.contextRequestTime(),
      caller: field.contextIdentityUserArn(),
      sourceIp: field.contextIdentitySourceIp(),
      method: field.contextHttpMethod(),
      path: field.contextPath(),
      status: field.contextStatus(),
      latencyMs: field.contextResponseLatency(),
      bytes: field.contextResponseLength(),
      error: field.contextErrorMessage(),
      integrationError: field.contextIntegrationErrorMessage(),
    }),
  );
};
