import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

const sdk = { group: ['@aws-sdk/*', '@smithy/*'], message: 'lib is synth time: SDK calls belong to lambda/.' };
const cdk = { group: ['aws-cdk-lib', 'aws-cdk-lib/*', 'constructs'], message: 'run-time code never imports the CDK.' };

/** Who may import what: docs/architecture.md, section Folders. */
const zones = [
  { target: './lib', from: ['./lambda', './local', './cli', './bin'] },
  { target: './lambda', from: ['./local', './cli', './bin', './examples'] },
  { target: './lambda', from: './lib/**/*', except: ['**/contract.ts'] },
  { target: './local', from: ['./cli', './bin'] },
  { target: './local', from: './lib/**/*', except: ['**/contract.ts'] },
  { target: './cli', from: './lib/**/*', except: ['**/contract.ts'] },
  { target: './examples', from: ['./lib', './lambda', './local', './cli', './bin'] },
].map((zone) => ({ ...zone, message: 'This room may not be entered from here (docs/architecture.md).' }));

export default tseslint.config(
  { ignores: ['dist/**', 'assets/**', 'cdk.out/**', 'node_modules/**', 'coverage/**', '**/*.d.ts'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mjs'],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver': { node: { extensions: ['.ts', '.js', '.mjs'] } } },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': 'error',
      'import-x/order': ['error', { alphabetize: { order: 'asc' }, groups: ['builtin', 'external', 'parent', 'sibling', 'index'] }],
      'max-len': ['error', { code: 150, ignoreUrls: true }],
      quotes: ['error', 'single', { avoidEscape: true }],
      semi: ['error', 'always'],
      indent: 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  { files: ['lib/**/*.ts'], rules: { 'no-restricted-imports': ['error', { patterns: [sdk] }] } },
  { files: ['lib/**/contract.ts'], rules: { 'no-restricted-imports': ['error', { patterns: ['*'] }] } },
  { files: ['lambda/**/*.ts'], rules: { 'no-restricted-imports': ['error', { patterns: [cdk] }] } },
  { files: ['**/*.js'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
