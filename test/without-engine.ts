// Unit tests run beside integration tests, whose engine must not be where their clients turn to.
for (const name of Object.keys(process.env)) if (/^AWS_ENDPOINT_URL/.test(name)) delete process.env[name];
