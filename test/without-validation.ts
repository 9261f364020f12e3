// CDK holds every synthesized template against CloudFormation's rules, which takes seconds for the first one of each test file and says nothing about
// the behaviour that the file is about. The templates of test/templates are held against them.
process.env.CDK_VALIDATION = 'false';
