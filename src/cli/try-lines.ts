/** Three lines to copy after the start: is it up, write a record, read it back. They need only this repository. */
export function tryLines(address: string): string[] {
  const client = `new(require('kafkajs').Kafka)({brokers:['${address}'],logLevel:1})`;
  const produce =
    `const p=${client}.producer();p.connect()` +
    `.then(()=>p.send({topic:'greetings',messages:[{value:'hello'}]})).then(r=>(console.log(r),p.disconnect()))`;
  const consume =
    `const c=${client}.consumer({groupId:'readers'});c.connect()` +
    `.then(()=>c.subscribe({topic:'greetings',fromBeginning:true}))` +
    `.then(()=>c.run({eachMessage:async({message:m})=>console.log(m.offset,String(m.value))}))`;
  const list =
    `const a=${client}.admin();a.connect()` +
    `.then(()=>a.listTopics()).then(t=>(console.log(t),a.disconnect()))`;
  // Node 24 warns of a timeout of kafkajs that is below zero; a newcomer need not wonder.
  return [produce, consume, list].map((script) => `node --no-warnings -e "${script}"`);
}
