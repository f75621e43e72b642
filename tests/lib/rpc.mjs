/*
 * The RPC protocol from the outside: a client of a daemon's socket, and a stand-in daemon whose answers a test decides.
 * Frames are a 4-byte big-endian length and one JSON-RPC 2.0 object.
 */
import { EventEmitter, once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { dirname } from "node:path";

const VERSION = 2;

export function frame(message)
{
	const body = Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
	const head = Buffer.alloc(4);

	head.writeUInt32BE(body.length);
	return Buffer.concat([head, body]);
}

/* Calls take(message) for each whole frame that arrives. */
function readFrames(socket, take)
{
	let rest = Buffer.alloc(0);

	socket.on("data", (piece) => {
		rest = Buffer.concat([rest, piece]);
		while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
			const length = rest.readUInt32BE(0);

			take(JSON.parse(rest.subarray(4, 4 + length).toString()));
			rest = rest.subarray(4 + length);
		}
	});
}

/* An error object, for a stand-in daemon to answer with. */
export function refusal(name, message, field)
{
	return { refuse: { code: 1, message, data: { name, ...(field ? { field } : {}) } } };
}

/* What the other side refused a call with: code (proto/errors.def), field, message. */
export class RpcRefusal extends Error {
	constructor(error)
	{
		super(error.message);
		this.code = error.data?.name;
		this.field = error.data?.field;
	}
}

export class RpcClient {
	#socket;
	#lastId = 0;
	#pending = new Map();

	static async open(path)
	{
		const client = new RpcClient();

		client.#socket = connect(path);
		client.closed = once(client.#socket, "close");
		await once(client.#socket, "connect");
		readFrames(client.#socket, (message) => client.#take(message));
		client.#socket.on("error", () => {});
		client.#socket.on("close", () => {
			for (const { failed } of client.#pending.values())
				failed(new Error("the connection was closed"));
		});
		await client.call("hello", { version: VERSION, program: "test" });
		return client;
	}

	#take(message)
	{
		if (message.method === "item")
			return this.#pending.get(message.params.id)?.item(message.params.item);
		const pending = this.#pending.get(message.id);

		this.#pending.delete(message.id);
		return message.error ? pending?.failed(new RpcRefusal(message.error)) : pending?.done(message.result);
	}

	#request(method, params, item, extra = {})
	{
		const id = ++this.#lastId;

		this.#socket.write(frame({ jsonrpc: "2.0", id, method, params, ...extra }));
		return new Promise((done, failed) => this.#pending.set(id, { done, failed, item }));
	}

	/* extra: { for: {...}, ms } */
	call(method, params = {}, extra = {})
	{
		return this.#request(method, params, () => {}, extra);
	}

	/* An emitter of "item" events; "end" with the refusal, if any, that ended it. */
	watch(method, params = {}, extra = {})
	{
		const emitter = new EventEmitter();

		this.#request(method, params, (item) => emitter.emit("item", item), { credit: 64, ...extra })
			.then(() => emitter.emit("end", null), (error) => emitter.emit("end", error));
		return emitter;
	}

	close()
	{
		this.#socket.destroy();
	}
}

/*
 * A stand-in daemon at path. answer(request, socket) is called for each call with the whole request; what it returns,
 * or what its promise gives, is the result, unless it is made by refusal(). Calls it has got, and the
 * notifications, are events of their method's name.
 */
export class RpcServer extends EventEmitter {
	static async open(path, answer)
	{
		const server = new RpcServer();

		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
		server.sockets = new Set();
		server.listener = createServer((socket) => server.#serve(socket, answer));
		server.listener.listen(path);
		await once(server.listener, "listening");
		return server;
	}

	#serve(socket, answer)
	{
		this.sockets.add(socket);
		socket.on("error", () => {});
		socket.on("close", () => this.sockets.delete(socket));
		readFrames(socket, async (request) => {
			const reply = (body) => socket.writable && socket.write(frame({ jsonrpc: "2.0", id: request.id, ...body }));

			if (request.method === "hello")
				return reply({ result: { version: VERSION, program: "test" } });
			this.emit(request.method, request);
			if (!request.id)
				return undefined;
			const result = await answer(request, socket);

			return reply(result?.refuse ? { error: result.refuse } : { result });
		});
	}

	async close()
	{
		for (const socket of this.sockets)
			socket.destroy();
		this.listener.close();
		await once(this.listener, "close");
	}
}
