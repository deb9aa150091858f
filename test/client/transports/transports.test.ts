import { transportContract } from './contract.ts';
import { inProcessHome, messagePortHome, tcpHome, webSocketHome } from './homes.ts';

transportContract('TCP', tcpHome, { finds: true });
transportContract('WebSocket', webSocketHome, { finds: true });
transportContract('MessagePort', messagePortHome, { finds: false });
transportContract('in process', inProcessHome, { finds: false });
