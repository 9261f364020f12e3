import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import * as ts from 'typescript';

export const root = path.resolve(__dirname, '..', '..');

/** The fenced blocks of a language in a document, one program from top to bottom. */
export const blocksOf = (document: string, language: string): string[] =>
  [...readFileSync(path.join(root, document), 'utf8').matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, code]) => code);

/** What the compiler says about programs under the project's own settings; a snippet need not use all that it declares. */
export const typeProblems = (programs: Readonly<Record<string, string>>): string[] => {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root);
  const files = new Map(Object.entries(programs).map(([name, text]) => [path.join(root, `${name}.ts`), text]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = files.get(file);
    return text === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, text, version);
  };
  const program = ts.createProgram([...files.keys()], { ...options, noUnusedLocals: false }, host);
  return [...files.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(({ messageText, start = 0 }) => {
      const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
      return `${path.basename(file)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
};

/** Runs a program where the example's training directory is, and answers its stack. */
export const stackOf = (program: string, load: (module: string) => unknown): Stack => {
  const { outputText } = ts.transpileModule(program, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
  const before = process.cwd();
  process.chdir(path.join(root, 'examples', 'bike-sharing'));
  try {
    return new Function('require', 'exports', `${outputText}\nreturn stack;`)(load, {});
  } finally {
    process.chdir(before);
  }
};
