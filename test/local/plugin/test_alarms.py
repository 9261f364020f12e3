"""Alarms look at their own metric, at time and at missing data, and tell the topic and the bus."""

import json
import time
import unittest

from harness import ACCOUNT, REGION, EngineTest, wait_until

EMF = '''
exports.handler = async () => {
  console.log(JSON.stringify({
    _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: 'Loop', Dimensions: [['Model', 'Feature'], ['Model']],
      Metrics: [{ Name: 'Psi', Unit: 'None' }] }] },
    Model: 'bikes', Feature: 'temp', Psi: [0.1, 0.4],
  }));
};'''


class AlarmTest(EngineTest):
    def state(self, name):
        found = self.client('cloudwatch').describe_alarms(AlarmNames=[name], AlarmTypes=['MetricAlarm', 'CompositeAlarm'])
        return (found['MetricAlarms'] + found['CompositeAlarms'])[0]['StateValue']

    def becomes(self, name, state, seconds=8):
        wait_until(lambda: self.state(name) == state, seconds)

    def alarm(self, name, **more):
        self.client('cloudwatch').put_metric_alarm(**{
            'AlarmName': name, 'Namespace': 'Loop', 'MetricName': 'Drift', 'Statistic': 'Maximum', 'Period': 60, 'EvaluationPeriods': 1,
            'Threshold': 0.2, 'ComparisonOperator': 'GreaterThanThreshold', 'Dimensions': [{'Name': 'Model', 'Value': name}], **more})

    def put(self, model, value, metric='Drift', at=None):
        datum = {'MetricName': metric, 'Value': value, 'Dimensions': [{'Name': 'Model', 'Value': model}], **({'Timestamp': at} if at else {})}
        self.client('cloudwatch').put_metric_data(Namespace='Loop', MetricData=[datum])

    def test_only_the_metric_with_the_same_dimensions_counts(self):
        self.alarm('dims')
        self.put('somebody-else', 9)
        self.put('dims', 0.1)
        self.becomes('dims', 'OK')
        self.put('dims', 0.9)
        self.assertEqual(self.state('dims'), 'ALARM')

    def test_alarm_goes_back_by_itself_and_missing_data_is_treated_as_told(self):
        for name, treat in (('gone-ok', 'notBreaching'), ('gone-insufficient', 'missing'), ('gone-kept', 'ignore')):
            self.alarm(name, Period=10, TreatMissingData=treat)
            self.put(name, 0.9, at=time.time() - 6)
        self.alarm('silent', Period=10, TreatMissingData='breaching')
        self.assertEqual([self.state(n) for n in ('gone-ok', 'gone-insufficient', 'gone-kept')], ['ALARM'] * 3)
        self.becomes('silent', 'ALARM')
        self.becomes('gone-ok', 'OK', 15)
        self.becomes('gone-insufficient', 'INSUFFICIENT_DATA', 15)
        self.assertEqual(self.state('gone-kept'), 'ALARM')

    def test_datapoints_to_alarm_counts_periods(self):
        self.alarm('m-of-n', EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData='notBreaching')
        self.put('m-of-n', 0.9)
        time.sleep(1.5)
        self.assertEqual(self.state('m-of-n'), 'OK')
        self.put('m-of-n', 0.9, at=time.time() - 130)
        self.becomes('m-of-n', 'ALARM')

    def test_metric_math(self):
        def stat(ident, metric):
            its_metric = {'Namespace': 'Loop', 'MetricName': metric, 'Dimensions': [{'Name': 'Model', 'Value': 'math'}]}
            return {'Id': ident, 'ReturnData': False, 'MetricStat': {'Metric': its_metric, 'Period': 60, 'Stat': 'Sum'}}

        self.client('cloudwatch').put_metric_alarm(
            AlarmName='math', EvaluationPeriods=1, Threshold=0.5, ComparisonOperator='GreaterThanThreshold',
            Metrics=[{'Id': 'share', 'Expression': 'IF(m2 > 0, m1 / m2, 0)'}, stat('m1', 'Failed'), stat('m2', 'All')])
        self.put('math', 10, 'All')
        self.put('math', 2, 'Failed')
        self.becomes('math', 'OK')
        self.put('math', 7, 'Failed')
        self.becomes('math', 'ALARM')

    def test_metrics_in_log_lines_reach_alarms_topic_and_bus(self):
        sns, sqs = self.client('sns'), self.client('sqs')
        topic = sns.create_topic(Name='alarms')['TopicArn']
        url = sqs.create_queue(QueueName='alarm-mail')['QueueUrl']
        arn = f'arn:aws:sqs:{REGION}:{ACCOUNT}:alarm-mail'
        sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': json.dumps({'Version': '2012-10-17', 'Statement': [{
            'Effect': 'Allow', 'Principal': {'Service': 'sns.amazonaws.com'}, 'Action': 'sqs:SendMessage', 'Resource': arn}]})})
        sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn, Attributes={'RawMessageDelivery': 'true'})
        bus = self.queue_of_events('alarm-events', {'detail-type': ['CloudWatch Alarm State Change'], 'detail': {'alarmName': ['psi']}})
        self.alarm('psi', MetricName='Psi', AlarmActions=[topic],
                   Dimensions=[{'Name': 'Model', 'Value': 'bikes'}, {'Name': 'Feature', 'Value': 'temp'}])
        self.function('emf', EMF)
        self.client('lambda').invoke(FunctionName='emf')
        mail = self.messages(url)[0]
        self.assertEqual((mail['AlarmName'], mail['NewStateValue']), ('psi', 'ALARM'))
        event = next(e for e in self.messages(bus) if e['detail']['state']['value'] == 'ALARM')
        self.assertEqual(event['resources'], [f'arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:psi'])
        self.assertEqual(event['detail']['configuration']['metrics'][0]['metricStat']['metric']['dimensions'], {'Model': 'bikes', 'Feature': 'temp'})
        data = self.client('cloudwatch').get_metric_statistics(
            Namespace='Loop', MetricName='Psi', Dimensions=[{'Name': 'Model', 'Value': 'bikes'}],
            StartTime=time.time() - 60, EndTime=time.time() + 60,
            Period=3600, Statistics=['Sum', 'SampleCount'])['Datapoints'][0]
        self.assertEqual((round(data['Sum'], 3), data['SampleCount']), (0.5, 2))

    def test_failed_executions_functions_and_dead_letters_are_metrics(self):
        machine = self.machine('fails', {'No': {'Type': 'Fail', 'Error': 'X'}})
        self.alarm('executions', Namespace='AWS/States', MetricName='ExecutionsFailed', Statistic='Sum', Threshold=0,
                   Dimensions=[{'Name': 'StateMachineArn', 'Value': machine}])
        self.run_machine(machine)
        url = self.client('sqs').create_queue(QueueName='dead')['QueueUrl']
        self.alarm('dead', Namespace='AWS/SQS', MetricName='ApproximateNumberOfMessagesVisible', Threshold=0, TreatMissingData='notBreaching',
                   Dimensions=[{'Name': 'QueueName', 'Value': 'dead'}])
        self.client('sqs').send_message(QueueUrl=url, MessageBody='x')
        arn = self.function('breaks', 'exports.handler = async () => { throw new Error("no"); };')
        self.alarm('errors', Namespace='AWS/Lambda', MetricName='Errors', Statistic='Sum', Threshold=0,
                   Dimensions=[{'Name': 'FunctionName', 'Value': 'breaks'}])
        self.run_machine(self.machine('calls-broken', {'Call': {'Type': 'Task', 'Resource': arn, 'End': True}}, [('lambda:InvokeFunction', arn)]))
        for name in ('executions', 'dead', 'errors'):
            self.becomes(name, 'ALARM')


if __name__ == '__main__':
    unittest.main()
