// Sends one prediction to Driftloop, as a program that serves a model does. It needs Kafka alone:
//   KAFKA_BROKERS=127.0.0.1:9092 npx node examples/firstPrediction.ts
// No model needs to be declared. The first prediction that names a model starts its monitoring.
import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');
const producer = new kafkajs.Kafka({ clientId: 'first-prediction', brokers }).producer({
  createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
});
const prediction = {
  id: randomUUID(),
  model: 'churn',
  version: '1',
  time: new Date().toISOString(),
  features: { age: 41, plan: 'basic', newsletter: true },
  prediction: 'stays',
  score: 0.12,
};
await producer.connect();
await producer.send({
  topic: 'predictions',
  messages: [{ key: prediction.id, value: JSON.stringify(prediction) }],
});
await producer.disconnect();
console.log(`sent prediction ${prediction.id} of model ${prediction.model} to ${brokers}`);
