/** Reads a variable that the construct must have set; a missing one fails naming itself. */
export const requireEnv = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`environment variable ${name} is not set: the construct that grants access also sets it`);
  }
  return value;
};

/** Reads a variable that holds JSON. */
export const requireJsonEnv = <T>(name: string): T => JSON.parse(requireEnv(name)) as T;
