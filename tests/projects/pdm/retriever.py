import faiss
from sentence_transformers import SentenceTransformer

encoder = SentenceTransformer("all-MiniLM-L6-v2", device="cpu")
index = faiss.IndexFlatIP(encoder.get_sentence_embedding_dimension())
